internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives

/// DescribeTopicPartitions: topics in pages (KIP-966).
extension Shard {
  /// max.request.partition.size.limit bounds a page whatever the client asks.
  func describeTopicPartitions(_ request: DescribeTopicPartitionsRequest, _ context: RequestContext) {
    let limit = Int(max(1, min(request.responsePartitionLimit, config.maxRequestPartitionSizeLimit)))
    var names = request.topics.isEmpty ? image.topicNames : Array(Set(request.topics.map(\.name))).sorted()
    var firstPartition = 0
    if let cursor = request.cursor {
      guard cursor.partitionIndex >= 0 else {
        return reply(context.replyTo, .describeTopicPartitions(DescribeTopicPartitionsResponse()))
      }
      names = names.filter { $0 >= cursor.topicName }
      if names.first == cursor.topicName { firstPartition = Int(cursor.partitionIndex) }
    }
    var response = DescribeTopicPartitionsResponse()
    var room = limit
    for name in names {
      guard room > 0 else {
        response.nextCursor = .init(topicName: name, partitionIndex: Int32(firstPartition))
        break
      }
      guard let topic = image.topic(named: name) else {
        let code: ErrorCode = TopicName.isValid(name) ? .unknownTopicOrPartition : .invalidTopicException
        response.topics.append(.init(errorCode: code, name: name))
        continue
      }
      let end = min(topic.partitions.count, firstPartition + room)
      response.topics.append(describe(topic, firstPartition..<max(firstPartition, end)))
      room -= max(0, end - firstPartition)
      if end < topic.partitions.count {
        response.nextCursor = .init(topicName: name, partitionIndex: Int32(end))
        break
      }
      firstPartition = 0
    }
    reply(context.replyTo, .describeTopicPartitions(response))
  }

  private func describe(
    _ topic: TopicImage, _ range: Range<Int>
  ) -> DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic {
    .init(
      name: topic.name, topicId: topic.id, isInternal: topic.isInternal,
      partitions: range.filter { topic.partitions.indices.contains($0) }.map { index in
        let partition = topic.partitions[index]
        return .init(
          errorCode: partition.leader == .none ? .leaderNotAvailable : .none, partitionIndex: Int32(index),
          leaderId: partition.leader.value, leaderEpoch: partition.leaderEpoch.value,
          replicaNodes: partition.replicas.map(\.value), isrNodes: partition.isr.map(\.value),
          eligibleLeaderReplicas: [], lastKnownElr: [], offlineReplicas: offlineReplicas(partition))
      },
      topicAuthorizedOperations: Self.topicOperations)
  }
}
