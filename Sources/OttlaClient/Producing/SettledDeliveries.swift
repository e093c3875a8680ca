internal import CLibrdkafka
internal import Synchronization

/// Delivery reports that were told, and whose memory, librdkafka's messages and the closures of those who listened, is still to be freed.
///
/// Those who send allocate it. Allocators are slow where one thread frees what another one allocated, and librdkafka counts messages
/// under a lock that both would want. So the producer's thread leaves the freeing to who sends next, and does it itself where nobody comes.
final class SettledDeliveries: Sendable {
  /// One event's worth: pointers as bits, for pointers are not Sendable. Whoever has it owns what is behind them.
  struct Batch {
    private let event: UInt
    private var listeners: [DeliveryListeners.Run] = []
    private(set) var records = 0

    init(event: OpaquePointer) { self.event = UInt(bitPattern: event) }

    /// So many more records, with what was given to librdkafka along with each.
    mutating func note(_ opaque: UnsafeMutableRawPointer?, records count: Int) {
      records += count
      if let opaque { listeners.append(.init(place: UInt(bitPattern: opaque), records: count)) }
    }

    fileprivate func free(_ places: DeliveryListeners) {
      places.forget(listeners)
      rd_kafka_event_destroy(OpaquePointer(bitPattern: event))
    }
  }

  private let listeners: DeliveryListeners
  private let batches = Mutex<[Batch]>([])
  private let count = Atomic<Int>(0)

  init(_ listeners: DeliveryListeners) { self.listeners = listeners }

  /// Records that are told and, for librdkafka, still there.
  var records: Int { count.load(ordering: .relaxed) }

  func add(_ batch: Batch) {
    batches.withLock { $0.append(batch) }
    count.add(batch.records, ordering: .relaxed)
  }

  /// Frees what there is; while the client lives.
  ///
  /// - Returns: for how many records there is room again.
  func free() -> Int {
    let mine = batches.withLock { batches in
      defer { batches = [] }
      return batches
    }
    var freed = 0
    for batch in mine {
      batch.free(listeners)
      freed += batch.records
    }
    count.subtract(freed, ordering: .relaxed)
    return freed
  }
}
