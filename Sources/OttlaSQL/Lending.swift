internal import Synchronization

/// Who has which connection, and who waits for one: first come, first served.
final class Lending: Sendable {
  private typealias Answer = Result<Connection, SQLError>

  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Answer, Never>
  }

  private struct State {
    var idle: [Connection] = []
    var lentCount = 0
    var waiters: [Waiter] = []
    var nextNumber = 0
    var isClosed = false
    /// Those who wait until nothing is lent any more.
    var closers: [CheckedContinuation<Void, Never>] = []
  }

  private let connectionsMax: Int
  private let make: @Sendable () -> Connection
  private let state = Mutex(State())

  init(connectionsMax: Int, make: @escaping @Sendable () -> Connection) {
    precondition(connectionsMax > 0, "a database with \(connectionsMax) connections")
    self.connectionsMax = connectionsMax
    self.make = make
  }

  /// - Throws: `.cancelled` when the task is cancelled before there is one, `.misuse` after `close`.
  func borrow() async throws(SQLError) -> Connection {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        enter(Waiter(number: number, continuation: continuation))
        // A cancellation that struck before the waiter was there has found nobody to tell.
        if Task.isCancelled { cancel(number) }
      }
    } onCancel: {
      cancel(number)
    }
    return try answer.get()
  }

  func giveBack(_ connection: Connection) {
    let (waiter, closers) = state.withLock { state -> (Waiter?, [CheckedContinuation<Void, Never>]) in
      if !state.waiters.isEmpty { return (state.waiters.removeFirst(), []) }
      state.lentCount -= 1
      state.idle.append(connection)
      guard state.isClosed, state.lentCount == 0 else { return (nil, []) }
      defer { state.closers = [] }
      return (nil, state.closers)
    }
    waiter?.continuation.resume(returning: .success(connection))
    for closer in closers { closer.resume() }
  }

  /// Lends nothing any more, and waits for what is lent; returns all connections.
  func close() async -> [Connection] {
    await withCheckedContinuation { continuation in
      let (waiters, isDone) = state.withLock { state -> ([Waiter], Bool) in
        state.isClosed = true
        defer { state.waiters = [] }
        let isDone = state.lentCount == 0
        if !isDone { state.closers.append(continuation) }
        return (state.waiters, isDone)
      }
      for waiter in waiters { waiter.continuation.resume(returning: .failure(Self.isClosed)) }
      if isDone { continuation.resume() }
    }
    return state.withLock { state in
      defer { state.idle = [] }
      return state.idle
    }
  }

  private func enter(_ waiter: Waiter) {
    let answer = state.withLock { state -> Answer? in
      guard !state.isClosed else { return .failure(Self.isClosed) }
      guard let connection = state.idle.popLast() ?? (state.lentCount < connectionsMax ? make() : nil) else {
        state.waiters.append(waiter)
        return nil
      }
      state.lentCount += 1
      return .success(connection)
    }
    if let answer { waiter.continuation.resume(returning: answer) }
  }

  private func cancel(_ number: Int) {
    let waiter = state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
    }
    waiter?.continuation.resume(
      returning: .failure(SQLError(.cancelled, "the task was cancelled while it waited for a connection")))
  }

  private static let isClosed = SQLError(.misuse, "the database was closed", advice: "make a new one")
}
