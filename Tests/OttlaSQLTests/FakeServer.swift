import Synchronization

@testable import OttlaSQL

/// A server that keeps nothing: what was run on which session, and errors that a test has ordered.
final class FakeServer: Sendable {
  struct State {
    var log: [String] = []
    var sessionCount = 0
    /// The error of the next statement with this text, and whether the session is gone after it.
    var failures: [String: (error: SQLError, isFatal: Bool)] = [:]
    var refusal: SQLError?
    var isBroken = false
    var deadSessions: Set<Int> = []
  }
  let state = Mutex(State())

  var log: [String] { state.withLock(\.log) }

  func database(connectionsMax: Int = 1, dialect: SQLDialect = .postgreSQL) -> SQLDatabase {
    SQLDatabase(dialect: dialect, connectionsMax: connectionsMax) { [self] () throws(SQLError) in
      try FakeSession(self)
    }
  }
}

final class FakeSession: SQLSession {
  private let server: FakeServer
  private let number: Int
  private(set) var isTransactionOpen = false

  init(_ server: FakeServer) throws(SQLError) {
    self.server = server
    let (number, refusal) = server.state.withLock { state in
      state.sessionCount += 1
      return (state.sessionCount, state.refusal)
    }
    if let refusal { throw refusal }
    self.number = number
  }

  var isUsable: Bool { server.state.withLock { !$0.deadSessions.contains(number) } }
  var isTransactionBroken: Bool { server.state.withLock(\.isBroken) }

  func run(_ statement: SQLStatement) throws(SQLError) -> SQLResult {
    let failure = server.state.withLock { state in
      state.log.append("\(number) \(statement.text)")
      let failure = state.failures.removeValue(forKey: statement.text)
      if failure?.isFatal == true { state.deadSessions.insert(number) }
      return failure?.error
    }
    if let failure { throw failure }
    switch statement.text.split(separator: " ")[0] {
    case "BEGIN": isTransactionOpen = true
    case "COMMIT", "ROLLBACK": isTransactionOpen = false
    default: break
    }
    return SQLResult()
  }
}
