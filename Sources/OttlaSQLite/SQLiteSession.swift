internal import CSQLite
internal import OttlaSQL

/// A connection to a file.
final class SQLiteSession: SQLSession {
  private let database: OpaquePointer

  init(_ options: SQLiteOptions) throws(SQLError) {
    var database: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = sqlite3_open_v2(options.path, &database, flags, nil)
    guard code == SQLITE_OK, let database else {
      let error = SQLiteErrors.of(code, message: database.map(Self.message) ?? "no memory", path: options.path)
      sqlite3_close_v2(database)
      throw error
    }
    self.database = database
    sqlite3_busy_timeout(database, Int32(clamping: options.busyMsMax))
    try keepWriteAheadLog(busyMsMax: options.busyMsMax)
    _ = try run(SQLStatement(trusted: "PRAGMA synchronous = \(options.synchronous.rawValue)"))
    _ = try run("PRAGMA foreign_keys = ON")
  }

  deinit { sqlite3_close_v2(database) }

  /// Two that change the journal of a new file at once would wait for each other, so SQLite refuses one of them without any wait: it
  /// is to ask again.
  private func keepWriteAheadLog(busyMsMax: Int) throws(SQLError) {
    let end = ContinuousClock.now + .milliseconds(busyMsMax)
    while true {
      do throws(SQLError) {
        _ = try run("PRAGMA journal_mode = WAL")
        return
      } catch {
        guard error.kind == .busy, ContinuousClock.now < end else { throw error }
      }
      sqlite3_sleep(5)
    }
  }

  let isUsable = true
  let isTransactionBroken = false
  var isTransactionOpen: Bool { sqlite3_get_autocommit(database) == 0 }

  func run(_ statement: SQLStatement) throws(SQLError) -> SQLResult {
    let prepared = try prepare(statement.text)
    defer { sqlite3_finalize(prepared) }
    try bind(statement.parameters, to: prepared)
    let changesBefore = sqlite3_total_changes64(database)
    let columns = (0..<sqlite3_column_count(prepared)).map { column in
      sqlite3_column_name(prepared, column).map { String(cString: $0) } ?? ""
    }
    var rows: [SQLRow] = []
    while true {
      let code = sqlite3_step(prepared)
      switch code {
      case SQLITE_ROW: rows.append(SQLRow(columns: columns, values: columns.indices.map { value(prepared, $0) }))
      case SQLITE_DONE:
        // `changes` keeps the count of an older statement where this one changes nothing.
        let hasChanged = sqlite3_total_changes64(database) != changesBefore
        return SQLResult(rows: rows, affectedCount: hasChanged ? Int(sqlite3_changes64(database)) : 0)
      default: throw error(code)
      }
    }
  }

  private func prepare(_ text: String) throws(SQLError) -> OpaquePointer {
    var text = text
    let prepared = text.withUTF8 { bytes -> Result<OpaquePointer, SQLError> in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        var statement: OpaquePointer?
        var rest: UnsafePointer<CChar>?
        let code = sqlite3_prepare_v2(
          database, characters.baseAddress, Int32(clamping: characters.count), &statement, &rest)
        guard code == SQLITE_OK else { return .failure(error(code)) }
        guard let statement else { return .failure(SQLError(.statement, "the statement is empty")) }
        let used = rest.flatMap { rest in characters.baseAddress.map { rest - $0 } } ?? characters.count
        let isOne = characters[used...].allSatisfy { [0x20, 0x09, 0x0a, 0x0d, 0x3b].contains($0) }
        guard isOne else {
          sqlite3_finalize(statement)
          return .failure(
            SQLError(.statement, "there is more after the end of the statement", advice: "run one at a time"))
        }
        return .success(statement)
      }
    }
    return try prepared.get()
  }

  /// The parameters are `$1`, `$2` and so on, which are names to SQLite.
  private func bind(_ parameters: [SQLValue], to statement: OpaquePointer) throws(SQLError) {
    let wanted = Int(sqlite3_bind_parameter_count(statement))
    guard wanted == parameters.count else {
      throw SQLError(.value, "the statement has \(wanted) parameters, and there are \(parameters.count)")
    }
    for (number, value) in parameters.enumerated() {
      let index = sqlite3_bind_parameter_index(statement, "$\(number + 1)")
      guard index > 0 else { throw SQLError(.value, "the statement has no parameter $\(number + 1)") }
      let code = Self.bind(value, to: statement, at: index)
      guard code == SQLITE_OK else { throw error(code) }
    }
  }

  private static func bind(_ value: SQLValue, to statement: OpaquePointer, at index: Int32) -> Int32 {
    switch value {
    case .null: return sqlite3_bind_null(statement, index)
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .real(let number): return sqlite3_bind_double(statement, index, number)
    case .boolean(let truth): return sqlite3_bind_int64(statement, index, truth ? 1 : 0)
    case .text(var text):
      return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { characters in
          ottla_sqlite_bind_text(statement, index, characters.baseAddress, UInt64(characters.count))
        }
      }
    case .bytes(let bytes):
      return bytes.withUnsafeBytes { ottla_sqlite_bind_blob(statement, index, $0.baseAddress, UInt64($0.count)) }
    }
  }

  private func value(_ statement: OpaquePointer, _ column: Int) -> SQLValue {
    let column = Int32(column)
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
    case SQLITE_TEXT:
      // The text before its length: the length is that of the form that was asked for last.
      let start = sqlite3_column_text(statement, column)
      let count = Int(sqlite3_column_bytes(statement, column))
      return .text(String(decoding: UnsafeBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self))
    case SQLITE_BLOB:
      let start = sqlite3_column_blob(statement, column)
      let count = Int(sqlite3_column_bytes(statement, column))
      return .bytes(Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)))
    default: return .null
    }
  }

  private func error(_ code: Int32) -> SQLError { SQLiteErrors.of(code, message: Self.message(database), path: nil) }

  private static func message(_ database: OpaquePointer) -> String {
    sqlite3_errmsg(database).map { String(cString: $0) } ?? "SQLite gave no reason"
  }
}
