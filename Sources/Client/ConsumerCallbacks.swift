internal import CLibrdkafka
internal import Primitives

/// A consumer's side of librdkafka's rebalance callback: which partitions it has, and which of them are read to the end.
final class ConsumerCallbacks: ClientCallbacks {
  var assigned: Set<TopicPartition> = []
  var ended: Set<TopicPartition> = []
  /// Set once partitions were given, even if none fell to this member.
  private(set) var wasAssigned = false

  var hasAssignment: Bool { wasAssigned || !assigned.isEmpty }

  /// Takes what the group gives or takes away, with the default (eager) protocol: all partitions each time.
  func rebalance(
    _ handle: OpaquePointer, _ code: rd_kafka_resp_err_t,
    _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) {
    ended = []
    if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
      assigned = Self.set(partitions)
      wasAssigned = true
      rd_kafka_assign(handle, partitions)
    } else {
      assigned = []
      wasAssigned = false
      rd_kafka_assign(handle, nil)
    }
  }

  private static func set(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> Set<TopicPartition> {
    guard let list, let elements = list.pointee.elems else { return [] }
    var partitions: Set<TopicPartition> = []
    for index in 0..<Int(max(0, list.pointee.cnt)) {
      guard let topic = elements[index].topic else { continue }
      partitions.insert(TopicPartition(String(cString: topic), elements[index].partition))
    }
    return partitions
  }
}
