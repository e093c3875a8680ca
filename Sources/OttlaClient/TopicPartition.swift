/// A partition by its topic's name (Kafka's `TopicPartition`).
///
/// ```swift
/// let first = TopicPartition("orders", 0)
/// print(first.topic, first.partition, first)  // orders 0 orders-0
/// let all = try await admin.describeTopic("orders").partitions.map { TopicPartition("orders", $0.partition) }
/// ```
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The topic's name.
  public let topic: String
  /// The partition's number, from 0.
  public let partition: Int32

  /// The partition `partition` of `topic`.
  public init(_ topic: String, _ partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  /// By topic, then by number.
  public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }

  /// `topic-partition`, as brokers name the folder.
  public var description: String { "\(topic)-\(partition)" }
}
