/// A position in a partition's log: the number of a record, counted from 0.
package struct Offset: Hashable, Comparable, Sendable {
  package let value: Int64
  @inlinable package init(_ value: Int64) { self.value = value }
  package static let zero = Offset(0)

  @inlinable package static func < (left: Offset, right: Offset) -> Bool { left.value < right.value }

  /// The offset `distance` records on. The sum wraps rather than traps: offsets come from files and from the network.
  @inlinable package func advanced(by distance: Int64) -> Offset { Offset(value &+ distance) }
}

/// The term of a partition's leader. Grows by at least one at each new leader; -1 where none is known.
package struct LeaderEpoch: Hashable, Comparable, Sendable {
  package let value: Int32
  @inlinable package init(_ value: Int32) { self.value = value }
  package static let none = LeaderEpoch(-1)
  @inlinable package static func < (left: LeaderEpoch, right: LeaderEpoch) -> Bool { left.value < right.value }
}

/// A broker's number: `node.id`.
package struct BrokerID: Hashable, Comparable, Sendable {
  package let value: Int32
  @inlinable package init(_ value: Int32) { self.value = value }
  package static let none = BrokerID(-1)
  @inlinable package static func < (left: BrokerID, right: BrokerID) -> Bool { left.value < right.value }
}

/// The number that names an idempotent or transactional producer (KIP-98); -1 for all others.
package struct ProducerID: Hashable, Comparable, Sendable {
  package let value: Int64
  @inlinable package init(_ value: Int64) { self.value = value }
  package static let none = ProducerID(-1)
  @inlinable package static func < (left: ProducerID, right: ProducerID) -> Bool { left.value < right.value }
}

/// The generation of a producer id: an older one is fenced.
package struct ProducerEpoch: Hashable, Comparable, Sendable {
  package let value: Int16
  @inlinable package init(_ value: Int16) { self.value = value }
  package static let none = ProducerEpoch(-1)
  @inlinable package static func < (left: ProducerEpoch, right: ProducerEpoch) -> Bool { left.value < right.value }
}

/// A partition by its topic's name.
package struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
  package let topic: String
  package let partition: Int32
  package init(_ topic: String, _ partition: Int32) {
    self.topic = topic
    self.partition = partition
  }
  /// The name of the partition's folder: `<topic>-<partition>`.
  package var description: String { "\(topic)-\(partition)" }
}

/// A place that waits for an answer: made by the shard that asks, handed back with the answer, opaque in between.
package struct RequestToken: Hashable, Sendable {
  package let value: UInt64
  @inlinable package init(_ value: UInt64) { self.value = value }
}
