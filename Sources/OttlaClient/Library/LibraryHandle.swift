internal import CLibrdkafka
internal import Synchronization

/// librdkafka's client, open to any thread until it is closed.
///
/// librdkafka's calls may come from any thread, but none may come after `rd_kafka_destroy`. So whoever uses the handle is counted, and
/// whoever closes it waits for them.
///
/// Can become: open -> closing (nobody new comes in) -> destroyed.
final class LibraryHandle: Sendable {
  /// Twice the number of users, and 1 on top once nobody is let in any more: records pass here, so it is no lock.
  private let gate = Atomic<Int>(0)
  /// The pointer's bits: what is behind them is safe to use from any thread, which the type OpaquePointer cannot say.
  private let bits: UInt

  init(_ pointer: OpaquePointer) { bits = UInt(bitPattern: pointer) }

  /// For the thread that closes it, and for callbacks, which come while the client lives.
  var pointer: OpaquePointer? { OpaquePointer(bitPattern: bits) }

  /// Whether `use` lets somebody in.
  var isOpen: Bool { gate.load(ordering: .acquiring) & 1 == 0 }

  /// Calls `body` with the client, which stays for as long.
  ///
  /// - Throws: `.closed` after `shut`.
  func use<Value, Failure: Error>(
    closed: @autoclosure () -> Failure, _ body: (OpaquePointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let before = gate.add(2, ordering: .acquiring).oldValue
    defer { gate.subtract(2, ordering: .releasing) }
    guard before & 1 == 0, let pointer else { throw closed() }
    return try body(pointer)
  }

  func use<Value>(_ body: (OpaquePointer) throws(ClientError) -> Value) throws(ClientError) -> Value {
    try use(closed: ClientError.closed, body)
  }

  /// Lets nobody in any more; false where that was so already.
  @discardableResult
  func shut() -> Bool {
    gate.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue & 1 == 0
  }

  /// Whether the last who came in before `shut` has left.
  var isUnused: Bool { gate.load(ordering: .acquiring) == 1 }

  /// Whether librdkafka has ever heard from a broker.
  var hasReachedBroker: Bool {
    guard let pointer, let id = rd_kafka_clusterid(pointer, 0) else { return false }
    rd_kafka_mem_free(pointer, id)
    return true
  }
}
