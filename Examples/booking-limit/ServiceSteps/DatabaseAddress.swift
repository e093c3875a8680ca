package import Launching
internal import OttlaPostgreSQL
package import OttlaSQL
internal import OttlaSQLite

extension SQLDatabase {
  /// The database that an option names: `postgresql://user:password@host:port/name`, or `sqlite:FILE`.
  ///
  /// - Throws: `CommandError` for what is neither.
  package static func named(_ address: String) throws(CommandError) -> SQLDatabase {
    if address.hasPrefix("sqlite:") {
      let path = address.dropFirst("sqlite:".count)
      guard !path.isEmpty else { throw CommandError("--database sqlite: names no file; write sqlite:limits.db") }
      return .sqlite(SQLiteOptions(path: String(path)))
    }
    do throws(SQLError) {
      return .postgreSQL(try PostgreSQLOptions(url: address))
    } catch {
      throw CommandError("--database: \(error)")
    }
  }
}
