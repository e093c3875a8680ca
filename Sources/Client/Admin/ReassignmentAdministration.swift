internal import KafkaProtocol
package import Primitives

/// A move of replicas that is under way (KIP-455).
package struct OngoingReassignment: Hashable, Sendable {
  package let partition: TopicPartition
  /// All brokers that keep the partition at present, those that join and those that will leave included.
  package let replicas: [Int32]
  package let adding: [Int32]
  package let removing: [Int32]
}

extension AdminClient {
  /// Moves partitions to other replicas: `targets` are the brokers that shall keep each, the preferred leader first; nil
  /// takes back a move that is under way.
  ///
  /// The move goes on by itself afterwards, and ends when all its targets are in sync.
  /// - Returns: the partitions whose move was refused, with the reason.
  package func alterReassignments(
    _ targets: [TopicPartition: [Int32]?]
  ) throws(ClientError) -> [TopicPartition: KafkaError] {
    guard !targets.isEmpty else { return [:] }
    let topics = Self.byTopic(Array(targets.keys)).map { topic, partitions in
      AlterPartitionReassignmentsRequest.ReassignableTopic(
        name: topic,
        partitions: partitions.map { .init(partitionIndex: $0.partition, replicas: targets[$0] ?? nil) })
    }
    let request = AlterPartitionReassignmentsRequest(timeoutMs: requestTimeoutMs, topics: topics)
    let answer = try retrying("moving replicas") { () throws(ClientError) in
      let answer = try controller().ask(
        .alterPartitionReassignments, request, as: AlterPartitionReassignmentsResponse.self)
      try check(answer.errorCode, answer.errorMessage, "moving replicas")
      return answer
    }
    var refused: [TopicPartition: KafkaError] = [:]
    for topic in answer.responses {
      for result in topic.partitions where result.errorCode != .none {
        refused[TopicPartition(topic.name, result.partitionIndex)] = KafkaError(result.errorCode, result.errorMessage)
      }
    }
    return refused
  }

  /// The moves under way, by partition.
  package func ongoingReassignments() throws(ClientError) -> [OngoingReassignment] {
    let answer = try retrying("looking up moves of replicas") { () throws(ClientError) in
      let answer = try controller().ask(
        .listPartitionReassignments, ListPartitionReassignmentsRequest(timeoutMs: requestTimeoutMs, topics: nil),
        as: ListPartitionReassignmentsResponse.self)
      try check(answer.errorCode, answer.errorMessage, "looking up moves of replicas")
      return answer
    }
    return answer.topics.flatMap { topic in
      topic.partitions.map { partition in
        OngoingReassignment(
          partition: TopicPartition(topic.name, partition.partitionIndex), replicas: partition.replicas,
          adding: partition.addingReplicas, removing: partition.removingReplicas)
      }
    }.sorted { ($0.partition.topic, $0.partition.partition) < ($1.partition.topic, $1.partition.partition) }
  }

  /// Whether the cluster can move replicas at all: one node alone cannot.
  package func canMoveReplicas() throws(ClientError) -> Bool {
    try controller().offers(.listPartitionReassignments)
  }
}
