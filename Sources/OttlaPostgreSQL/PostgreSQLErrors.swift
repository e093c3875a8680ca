internal import OttlaSQL

/// What the server's codes and libpq's sentences mean.
enum PostgreSQLErrors {
  /// An error without the end of its line, of which libpq's sentences have one.
  static func sentence(_ text: UnsafePointer<CChar>?) -> String {
    let text = text.map { String(cString: $0) } ?? ""
    let lines = text.split(whereSeparator: \.isNewline)
    return lines.isEmpty ? "PostgreSQL gave no reason" : lines.joined(separator: "; ")
  }

  /// libpq tells no code of a connection that did not come about. Where the server itself spoke, its sentence says FATAL.
  static func ofConnecting(message: String, place: String, wantsPassword: Bool) -> SQLError {
    let answered = message.contains("FATAL")
    let isAboutThePassword = wantsPassword || message.contains("authentication failed") || message.contains("password")
    if isAboutThePassword || message.contains("pg_hba.conf") || (answered && message.contains("role \"")) {
      return SQLError(
        .authentication, message,
        advice: "check user and password, and what pg_hba.conf at \(place) allows this machine")
    }
    if message.contains("too many clients") || message.contains("remaining connection slots") {
      return SQLError(.resources, message, advice: "lower connectionsMax, or raise max_connections of the server")
    }
    if answered, message.contains("database \"") {
      return SQLError(.statement, message, advice: "create the database, or name another in PostgreSQLOptions.database")
    }
    return SQLError(.unreachable, message, advice: "is PostgreSQL running at \(place), and does it listen there?")
  }

  /// - Parameter sqlstate: nil where the server said nothing.
  static func ofStatement(sqlstate: String?, message: String, isConnected: Bool) -> SQLError {
    guard let sqlstate else {
      return isConnected
        ? SQLError(.other, message)
        : SQLError(.connectionLost, message, advice: "the next use connects anew")
    }
    let (kind, advice) = meaning(of: sqlstate)
    return SQLError(isConnected ? kind : .connectionLost, message, sqlstate: sqlstate, advice: advice)
  }

  /// By the code where it matters, else by its class, which is the first two characters.
  static func meaning(of sqlstate: String) -> (kind: SQLError.Kind, advice: String) {
    switch sqlstate {
    case "23505": return (.uniqueViolation, "")
    case "40001", "40P01": return (.conflict, "begin the transaction again")
    case "55P03": return (.busy, "another transaction holds the lock")
    case "57014": return (.timeout, "statementMsMax bounds how long a statement may take")
    case "57P01", "57P02", "57P03", "57P05": return (.connectionLost, "the next use connects anew")
    case "25P02": return (.transactionOver, "a statement before it failed; let its error leave the transaction")
    case "25006": return (.statement, "this server or transaction takes no writes")
    case "42501": return (.authentication, "the user lacks the right for this")
    default: break
    }
    switch sqlstate.prefix(2) {
    case "08": return (.connectionLost, "the next use connects anew")
    case "22": return (.value, "")
    case "23": return (.constraintViolation, "")
    case "28": return (.authentication, "check user and password")
    case "40": return (.conflict, "begin the transaction again")
    case "42", "26", "34", "3D", "3F", "0A": return (.statement, "")
    case "53", "54": return (.resources, "")
    case "58", "XX": return (.storage, "look into the server's log")
    default: return (.other, "")
    }
  }
}
