/// A message as a store keeps it.
///
/// ```swift
/// // What a store of your own reads becomes a row for the publisher.
/// let row = OutboxRow(
///   position: document.number, lane: document.lane, message: document.message, failureCount: document.failureCount)
/// if row.failureCount > 0 {
///   print("\(row.message.id) at position \(row.position) has failed \(row.failureCount) times")
///   // Without a lane nothing waits for it.
///   if row.lane != nil { print("and what has its key waits behind it") }
/// }
/// ```
public struct OutboxRow: Sendable, Hashable {
  /// Grows from message to message.
  public let position: Int64
  /// What is published in order: rows with the same lane. Nil is a lane of its own.
  public let lane: Int64?
  /// What is to be published.
  public let message: OutboxMessage
  /// How often publishing it has failed.
  public let failureCount: Int

  /// A row as a store has read it.
  public init(position: Int64, lane: Int64?, message: OutboxMessage, failureCount: Int) {
    self.position = position
    self.lane = lane
    self.message = message
    self.failureCount = failureCount
  }
}

/// Where a message belongs.
///
/// Lanes are spread over slots, and a publisher takes whole slots: so a lane is never in two hands, and its order is kept,
/// though several publishers work at once.
///
/// ```swift
/// // A store of your own makes the slots once, and keeps with each message where it belongs.
/// for slot in 0..<OutboxLane.slotCount { try await shelf.makeSlot(slot) }
/// let place = OutboxLane(of: message)
/// try await shelf.insert(message, slot: place.slot, lane: place.lane)
/// ```
public struct OutboxLane: Sendable, Hashable {
  /// How many slots there are. It is written into every database there is: it cannot change.
  public static let slotCount = 16

  /// Nil for a message without a key.
  public let lane: Int64?
  /// Its slot, from 0 up to `slotCount`.
  public let slot: Int

  /// Topic and key make a lane. Two lanes whose hashes are equal are one, which costs nothing but some waiting.
  public init(of message: OutboxMessage) {
    let hash: UInt64
    if let key = message.key {
      hash = Self.hash(Array(message.topic.utf8) + [0] + key)
      lane = Int64(bitPattern: hash)
    } else {
      hash = Self.hash(Array(message.id.utf8))
      lane = nil
    }
    slot = Int((hash ^ (hash >> 32)) % UInt64(Self.slotCount))
  }

  /// FNV-1a: the same in every process, as Swift's own hashes are not.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }
}
