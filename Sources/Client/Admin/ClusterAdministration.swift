package import KafkaProtocol
package import Primitives

/// Which brokers may become leader in an election (Kafka's `ElectionType`).
package enum ElectionKind: Int8, Sendable {
  /// The first of the replicas, where it is in sync.
  case preferred = 0
  /// Any replica that is alive, where none is in sync: what the others had more is lost.
  case unclean = 1
}

extension AdminClient {
  /// The cluster's id, its controller and its brokers; with those that are registered and not alive, where the broker that is
  /// asked can tell (version 2, KIP-1073).
  package func describeCluster() throws(ClientError) -> DescribeClusterResponse {
    let answer = try controller().ask(
      .describeCluster, DescribeClusterRequest(includeFencedBrokers: true), as: DescribeClusterResponse.self)
    try check(answer.errorCode, answer.errorMessage, "describing the cluster")
    return answer
  }

  /// Makes the cluster forget a broker that is not alive and keeps nothing any more.
  package func unregisterBroker(_ id: Int32) throws(ClientError) {
    try retrying("broker \(id)") { () throws(ClientError) in
      let answer = try controller().ask(
        .unregisterBroker, UnregisterBrokerRequest(brokerId: id), as: UnregisterBrokerResponse.self)
      try check(answer.errorCode, answer.errorMessage, "broker \(id)")
    }
  }

  /// Elects leaders of `partitions` anew.
  ///
  /// - Returns: the partitions whose election was refused, with the reason; not those that needed none.
  package func electLeaders(
    _ kind: ElectionKind, of partitions: [TopicPartition]
  ) throws(ClientError) -> [TopicPartition: KafkaError] {
    guard !partitions.isEmpty else { return [:] }
    let topics = Self.byTopic(partitions).map { topic, partitions in
      ElectLeadersRequest.TopicPartitions(topic: topic, partitions: partitions.map(\.partition))
    }
    let request = ElectLeadersRequest(
      electionType: kind.rawValue, topicPartitions: topics, timeoutMs: requestTimeoutMs)
    let answer = try retrying("electing leaders") { () throws(ClientError) in
      let answer = try controller().ask(.electLeaders, request, as: ElectLeadersResponse.self)
      try check(answer.errorCode, nil, "electing leaders")
      return answer
    }
    var refused: [TopicPartition: KafkaError] = [:]
    for topic in answer.replicaElectionResults {
      for result in topic.partitionResult where ![.none, .electionNotNeeded].contains(result.errorCode) {
        refused[TopicPartition(topic.topic, result.partitionId)] = KafkaError(result.errorCode, result.errorMessage)
      }
    }
    return refused
  }

  /// The value of one property for each of `topics` that still exists.
  package func topicProperty(_ name: String, of topics: [String]) throws(ClientError) -> [String: String] {
    guard !topics.isEmpty else { return [:] }
    let request = DescribeConfigsRequest(
      resources: topics.map { .init(resourceType: 2, resourceName: $0, configurationKeys: [name]) })
    let answer = try controller().ask(.describeConfigs, request, as: DescribeConfigsResponse.self)
    var values: [String: String] = [:]
    for result in answer.results where result.errorCode == .none {
      if let value = result.configs.first(where: { $0.name == name })?.value { values[result.resourceName] = value }
    }
    return values
  }

  /// `partitions` by their topics, both in order.
  static func byTopic(_ partitions: [TopicPartition]) -> [(topic: String, partitions: [TopicPartition])] {
    Dictionary(grouping: partitions, by: \.topic).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.sorted { $0.partition < $1.partition }) }
  }
}
