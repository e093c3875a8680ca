internal import Foundation
package import Launching
package import OttlaPostgreSQL

/// The database that a program was told, by an option or by the environment: a password on a command line can be read by everybody on the machine.
package enum DatabaseOption {
  private static let variable = "DATABASE_URL"

  package static let option = CommandUsage.Option(
    "database", "URL", "postgresql://user:password@host:port/name; without it, the environment's \(variable)",
    default: "")

  /// - Throws: a sentence for a URL that is missing, or is none.
  package static func options(_ options: CommandOptions) throws(CommandError) -> PostgreSQLOptions {
    let given = options[option.name]
    let url = given.isEmpty ? ProcessInfo.processInfo.environment[variable] ?? "" : given
    guard !url.isEmpty else { throw CommandError("--\(option.name) is missing, and so is \(variable)") }
    do { return try PostgreSQLOptions(url: url) } catch { throw CommandError("--\(option.name): \(error)") }
  }
}
