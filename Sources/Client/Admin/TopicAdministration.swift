package import KafkaProtocol
package import Primitives

extension AdminClient {
  /// Makes a topic.
  ///
  /// - Parameters:
  ///   - partitions: nil for the broker's default.
  ///   - replicationFactor: nil for the broker's default.
  /// - Returns: what was made; the counts in it are -1 where the broker does not tell.
  package func createTopic(
    _ name: String, partitions: Int32?, replicationFactor: Int16?, configs: [(name: String, value: String)]
  ) throws(ClientError) -> CreateTopicsResponse.CreatableTopicResult {
    let topic = CreateTopicsRequest.CreatableTopic(
      name: name, numPartitions: partitions ?? -1, replicationFactor: replicationFactor ?? -1,
      configs: configs.map { .init(name: $0.name, value: $0.value) })
    let request = CreateTopicsRequest(topics: [topic], timeoutMs: requestTimeoutMs)
    let answer = try controller().ask(.createTopics, request, as: CreateTopicsResponse.self)
    guard let result = answer.topics.first else {
      throw .incompatible("the broker did not say whether it made topic \(name)")
    }
    try check(result.errorCode, result.errorMessage, "topic \(name)")
    return result
  }

  /// Deletes a topic with all its records.
  package func deleteTopic(_ name: String) throws(ClientError) {
    // Versions up to 5 send the one field, later ones the other.
    let request = DeleteTopicsRequest(
      topics: [.init(name: name)], topicNames: [name], timeoutMs: requestTimeoutMs)
    let answer = try controller().ask(.deleteTopics, request, as: DeleteTopicsResponse.self)
    guard let result = answer.responses.first else {
      throw .incompatible("the broker did not say whether it deleted topic \(name)")
    }
    try check(result.errorCode, result.errorMessage, "topic \(name)")
  }

  /// Gives a topic more partitions, `count` in all.
  package func createPartitions(of name: String, count: Int32) throws(ClientError) {
    let topic = CreatePartitionsRequest.CreatePartitionsTopic(name: name, count: count, assignments: nil)
    let request = CreatePartitionsRequest(topics: [topic], timeoutMs: requestTimeoutMs, validateOnly: false)
    let answer = try controller().ask(.createPartitions, request, as: CreatePartitionsResponse.self)
    guard let result = answer.results.first else {
      throw .incompatible("the broker did not say whether it changed topic \(name)")
    }
    try check(result.errorCode, result.errorMessage, "topic \(name)")
  }
}

/// What ListOffsets finds in a partition.
package struct FoundOffset: Hashable, Sendable {
  /// -1 where no record is that young.
  package let offset: Int64
  /// Milliseconds since 1970; -1 for the ends of the log.
  package let timestamp: Int64
}

/// What ListOffsets looks for.
package enum OffsetQuery: Hashable, Sendable {
  case earliest
  /// The high watermark.
  case latest
  /// The first record of that time or later, in milliseconds since 1970.
  case timestamp(Int64)

  fileprivate var wireValue: Int64 {
    switch self {
    case .latest: -1
    case .earliest: -2
    case .timestamp(let time): max(0, time)
    }
  }
}

extension AdminClient {
  /// Looks `query` up in each of `partitions`, at their leaders.
  package func listOffsets(
    _ partitions: [TopicPartition], _ query: OffsetQuery
  ) throws(ClientError) -> [TopicPartition: FoundOffset] {
    guard !partitions.isEmpty else { return [:] }
    return try retrying("looking up offsets") { () throws(ClientError) in
      var found: [TopicPartition: FoundOffset] = [:]
      for (leader, wanted) in try leaders(of: partitions) {
        try listOffsets(wanted, query, at: leader, into: &found)
      }
      if let missing = partitions.first(where: { found[$0] == nil }) {
        throw .incompatible("the brokers' answer leaves out partition \(missing)")
      }
      return found
    }
  }

  /// `partitions` by the brokers that lead them, in order of the brokers' ids.
  func leaders(
    of partitions: [TopicPartition]
  ) throws(ClientError) -> [(leader: Int32, partitions: [TopicPartition])] {
    let names = Set(partitions.map(\.topic)).sorted()
    var leaderOf: [TopicPartition: Int32] = [:]
    for topic in try metadata(topics: names).topics {
      try check(topic.errorCode, nil, "topic \(topic.name ?? "")")
      for partition in topic.partitions {
        leaderOf[TopicPartition(topic.name ?? "", partition.partitionIndex)] = partition.leaderId
      }
    }
    var groups: [Int32: [TopicPartition]] = [:]
    for partition in partitions {
      guard let leader = leaderOf[partition] else {
        throw .refused(operation: "partition \(partition)", KafkaError(.unknownTopicOrPartition))
      }
      guard leader >= 0 else { throw .refused(operation: "partition \(partition)", KafkaError(.leaderNotAvailable)) }
      groups[leader, default: []].append(partition)
    }
    return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func listOffsets(
    _ partitions: [TopicPartition], _ query: OffsetQuery, at leader: Int32,
    into found: inout [TopicPartition: FoundOffset]
  ) throws(ClientError) {
    var topics: [ListOffsetsRequest.ListOffsetsTopic] = []
    for (topic, wanted) in Dictionary(grouping: partitions, by: \.topic).sorted(by: { $0.key < $1.key }) {
      topics.append(
        .init(
          name: topic,
          partitions: wanted.map { .init(partitionIndex: $0.partition, timestamp: query.wireValue) }))
    }
    let request = ListOffsetsRequest(replicaId: -1, topics: topics, timeoutMs: requestTimeoutMs)
    let answer = try connection(to: leader).ask(.listOffsets, request, as: ListOffsetsResponse.self)
    for topic in answer.topics {
      for partition in topic.partitions {
        let name = TopicPartition(topic.name, partition.partitionIndex)
        try check(partition.errorCode, nil, "partition \(name)")
        found[name] = FoundOffset(offset: partition.offset, timestamp: partition.timestamp)
      }
    }
  }
}
