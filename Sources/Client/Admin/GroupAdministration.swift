package import KafkaProtocol
package import Primitives

extension AdminClient {
  /// The groups that all brokers together keep, by name.
  package func listGroups() throws(ClientError) -> [ListGroupsResponse.ListedGroup] {
    var groups: [ListGroupsResponse.ListedGroup] = []
    for broker in try brokerIDs() {
      let connection = try connection(to: broker)
      groups += try retrying("listing groups") { () throws(ClientError) in
        let answer = try connection.ask(.listGroups, ListGroupsRequest(), as: ListGroupsResponse.self)
        try check(answer.errorCode, nil, "listing the groups of broker \(broker)")
        return answer.groups
      }
    }
    return groups.sorted { $0.groupId < $1.groupId }
  }

  /// State and members of a group. A group that nobody knows is described as dead.
  package func describeGroup(_ group: String) throws(ClientError) -> DescribeGroupsResponse.DescribedGroup {
    try atCoordinator(of: group) { (connection) throws(ClientError) in
      let request = DescribeGroupsRequest(groups: [group])
      let answer = try connection.ask(.describeGroups, request, as: DescribeGroupsResponse.self)
      guard let described = answer.groups.first else {
        throw .incompatible("the broker did not describe group \(group)")
      }
      if described.errorCode == .groupIdNotFound { return described }
      try check(described.errorCode, described.errorMessage, "group \(group)")
      return described
    }
  }

  /// Deletes a group that has no members, with its offsets.
  package func deleteGroup(_ group: String) throws(ClientError) {
    try atCoordinator(of: group) { (connection) throws(ClientError) in
      let request = DeleteGroupsRequest(groupsNames: [group])
      let answer = try connection.ask(.deleteGroups, request, as: DeleteGroupsResponse.self)
      guard let result = answer.results.first else {
        throw .incompatible("the broker did not say whether it deleted group \(group)")
      }
      let message = result.errorCode == .nonEmptyGroup ? "it has members at present; stop them first" : nil
      try check(result.errorCode, message, "group \(group)")
    }
  }

  /// Every offset that a group has committed.
  package func committedOffsets(of group: String) throws(ClientError) -> [TopicPartition: Int64] {
    try atCoordinator(of: group) { (connection) throws(ClientError) in
      let request = OffsetFetchRequest(groupId: group, topics: nil, requireStable: false)
      let answer = try connection.ask(.offsetFetch, request, versionMax: 7, as: OffsetFetchResponse.self)
      try check(answer.errorCode, nil, "group \(group)")
      var offsets: [TopicPartition: Int64] = [:]
      for topic in answer.topics {
        for partition in topic.partitions {
          let name = TopicPartition(topic.name, partition.partitionIndex)
          try check(partition.errorCode, nil, "the offset of group \(group) in \(name)")
          if partition.committedOffset >= 0 { offsets[name] = partition.committedOffset }
        }
      }
      return offsets
    }
  }

  /// Sets offsets of a group that has no members at present.
  package func commitOffsets(_ offsets: [TopicPartition: Int64], of group: String) throws(ClientError) {
    guard !offsets.isEmpty else { return }
    var topics: [OffsetCommitRequest.OffsetCommitRequestTopic] = []
    for (topic, entries) in Dictionary(grouping: offsets, by: \.key.topic).sorted(by: { $0.key < $1.key }) {
      let partitions = entries.sorted { $0.key.partition < $1.key.partition }
      topics.append(
        .init(
          name: topic,
          partitions: partitions.map {
            .init(partitionIndex: $0.key.partition, committedOffset: $0.value, committedMetadata: "")
          }))
    }
    let request = OffsetCommitRequest(groupId: group, topics: topics)
    try atCoordinator(of: group) { (connection) throws(ClientError) in
      let answer = try connection.ask(.offsetCommit, request, versionMax: 9, as: OffsetCommitResponse.self)
      for topic in answer.topics {
        for partition in topic.partitions {
          let name = TopicPartition(topic.name, partition.partitionIndex)
          try check(partition.errorCode, nil, "the offset of group \(group) in \(name)")
        }
      }
    }
  }

  private func atCoordinator<Answer>(
    of group: String, _ ask: (AdminConnection) throws(ClientError) -> Answer
  ) throws(ClientError) -> Answer {
    try retrying("group \(group)") { () throws(ClientError) in try ask(try coordinator(of: group)) }
  }
}
