internal import CLibrdkafka
internal import Synchronization

/// librdkafka's client, open to any thread until it is closed.
///
/// librdkafka's calls may come from any thread, but none may come after `rd_kafka_destroy`. So whoever uses the handle is counted, and
/// whoever closes it waits for them.
///
/// Can become: open -> closing (nobody new comes in) -> destroyed.
final class LibraryHandle: Sendable {
  private struct Gate {
    var isOpen = true
    var users = 0
  }
  private let gate = Mutex(Gate())
  /// The pointer's bits: what is behind them is safe to use from any thread, which the type OpaquePointer cannot say.
  private let bits: UInt

  init(_ pointer: OpaquePointer) { bits = UInt(bitPattern: pointer) }

  /// For the thread that closes it, and for callbacks, which come while the client lives.
  var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }

  /// Whether `use` lets somebody in.
  var isOpen: Bool { gate.withLock { $0.isOpen } }

  /// Calls `body` with the client, which stays for as long.
  ///
  /// - Throws: `.closed` after `shut`.
  func use<Value, Failure: Error>(
    closed: @autoclosure () -> Failure, _ body: (OpaquePointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let entered = gate.withLock { gate in
      if gate.isOpen { gate.users += 1 }
      return gate.isOpen
    }
    guard entered, let pointer else { throw closed() }
    defer { gate.withLock { $0.users -= 1 } }
    return try body(pointer)
  }

  func use<Value>(_ body: (OpaquePointer) throws(ClientError) -> Value) throws(ClientError) -> Value {
    try use(closed: ClientError.closed, body)
  }

  /// Lets nobody in any more; false where that was so already.
  @discardableResult
  func shut() -> Bool {
    gate.withLock { gate in
      defer { gate.isOpen = false }
      return gate.isOpen
    }
  }

  /// Whether the last who came in before `shut` has left.
  var isUnused: Bool { gate.withLock { !$0.isOpen && $0.users == 0 } }

  /// Whether librdkafka has ever heard from a broker.
  var hasReachedBroker: Bool {
    guard let pointer, let id = rd_kafka_clusterid(pointer, 0) else { return false }
    rd_kafka_mem_free(pointer, id)
    return true
  }
}
