package import KafkaProtocol
internal import Primitives

extension ClusterImage {
  /// The moves of replicas that are under way (KIP-455): of all partitions, or of those that `request` names and that are
  /// there, each once.
  package func reassignments(_ request: ListPartitionReassignmentsRequest) -> ListPartitionReassignmentsResponse {
    var response = ListPartitionReassignmentsResponse()
    for (topic, indexes) in wanted(by: request) {
      let moving = indexes.compactMap { index in
        topic.partition(index).flatMap { $0.isReassigning ? $0.ongoing(index: index) : nil }
      }
      if !moving.isEmpty {
        response.topics.append(
          ListPartitionReassignmentsResponse.OngoingTopicReassignment(name: topic.name, partitions: moving))
      }
    }
    return response
  }

  private func wanted(by request: ListPartitionReassignmentsRequest) -> [(TopicImage, [Int32])] {
    guard let named = request.topics else {
      return topicNames.compactMap { topic(named: $0) }
        .map { ($0, $0.partitions.indices.map { Int32(clamping: $0) }) }
    }
    var seen: Set<NamedPartition> = []
    return named.compactMap { wanted in
      let indexes = wanted.partitionIndexes.filter { seen.insert(NamedPartition(wanted.name, $0)).inserted }
      return topic(named: wanted.name).map { ($0, indexes) }
    }
  }
}

extension PartitionImage {
  fileprivate func ongoing(
    index: Int32
  ) -> ListPartitionReassignmentsResponse.OngoingPartitionReassignment {
    ListPartitionReassignmentsResponse.OngoingPartitionReassignment(
      partitionIndex: index, replicas: replicas.map(\.value), addingReplicas: addingReplicas.map(\.value),
      removingReplicas: removingReplicas.map(\.value))
  }
}
