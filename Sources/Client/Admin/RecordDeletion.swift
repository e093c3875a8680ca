internal import KafkaProtocol
package import Primitives

extension AdminClient {
  /// Drops the records of each partition below an offset; -1 stands for all there are (KIP-107).
  ///
  /// - Returns: where each log begins now.
  package func deleteRecords(
    before offsets: [TopicPartition: Int64]
  ) throws(ClientError) -> [TopicPartition: Int64] {
    guard !offsets.isEmpty else { return [:] }
    return try retrying("deleting records") { () throws(ClientError) in
      var begins: [TopicPartition: Int64] = [:]
      for (leader, partitions) in try leaders(of: Array(offsets.keys)) {
        let topics = Self.byTopic(partitions).map { topic, partitions in
          DeleteRecordsRequest.DeleteRecordsTopic(
            name: topic,
            partitions: partitions.map { .init(partitionIndex: $0.partition, offset: offsets[$0] ?? 0) })
        }
        let request = DeleteRecordsRequest(topics: topics, timeoutMs: requestTimeoutMs)
        let answer = try connection(to: leader).ask(.deleteRecords, request, as: DeleteRecordsResponse.self)
        for topic in answer.topics {
          for result in topic.partitions {
            let partition = TopicPartition(topic.name, result.partitionIndex)
            try check(result.errorCode, nil, "deleting records of \(partition)")
            begins[partition] = result.lowWatermark
          }
        }
      }
      return begins
    }
  }

  /// Makes a group forget what it has committed in `partitions` (KIP-496). Topics that it reads at present are refused.
  package func deleteOffsets(of group: String, in partitions: [TopicPartition]) throws(ClientError) {
    guard !partitions.isEmpty else { return }
    let topics = Self.byTopic(partitions).map { topic, partitions in
      OffsetDeleteRequest.OffsetDeleteRequestTopic(
        name: topic, partitions: partitions.map { .init(partitionIndex: $0.partition) })
    }
    let request = OffsetDeleteRequest(groupId: group, topics: topics)
    try retrying("group \(group)") { () throws(ClientError) in
      let answer = try coordinator(of: group).ask(.offsetDelete, request, as: OffsetDeleteResponse.self)
      try check(answer.errorCode, nil, "group \(group)")
      for topic in answer.topics {
        for result in topic.partitions {
          let partition = TopicPartition(topic.name, result.partitionIndex)
          try check(result.errorCode, nil, "the offset of group \(group) in \(partition)")
        }
      }
    }
  }
}
