internal import CLibrdkafka

/// librdkafka's list of partitions with an offset each, made of ours for one call.
struct PartitionList: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  /// `offsets` in order; nil where no memory is left.
  init(_ offsets: [(partition: TopicPartition, offset: Int64)]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count))
    for (partition, offset) in offsets {
      rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)?.pointee.offset = offset
    }
  }

  init(_ partitions: [TopicPartition]) {
    self.init(partitions.map { ($0, Int64(RD_KAFKA_OFFSET_INVALID)) })
  }

  deinit { rd_kafka_topic_partition_list_destroy(pointer) }

  /// What librdkafka has written into it.
  var entries: [Entry] { Self.entries(pointer) }

  struct Entry {
    let partition: TopicPartition
    let offset: Int64
    let error: rd_kafka_resp_err_t
  }

  static func entries(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [Entry] {
    guard let list, let elements = list.pointee.elems else { return [] }
    return (0..<Int(max(0, list.pointee.cnt))).compactMap { index in
      guard let topic = elements[index].topic else { return nil }
      return Entry(
        partition: TopicPartition(String(cString: topic), elements[index].partition), offset: elements[index].offset,
        error: elements[index].err)
    }
  }

  /// The first partition that was refused, as an error.
  func firstError(_ operation: String) -> ClientError? {
    for entry in entries where entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
      return ClientError(
        entry.error, "\(operation) \(entry.partition)", topic: entry.partition.topic,
        partition: entry.partition.partition)
    }
    return nil
  }
}
