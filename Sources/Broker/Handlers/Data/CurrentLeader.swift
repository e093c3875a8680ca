internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// Whom to ask instead: an answer of NOT_LEADER_OR_FOLLOWER says who leads now and where it is, so that a client need not ask
/// for metadata first (KIP-951).
extension Shard {
  /// Whether an error means that the client knows an older leader than this broker does.
  static func meansOtherLeader(_ error: ErrorCode) -> Bool {
    error == .notLeaderOrFollower || error == .fencedLeaderEpoch
  }

  /// Who leads a partition, as far as this broker knows; nil where nobody does.
  func currentLeader(_ topic: TopicImage?, _ partition: Int32) -> PartitionImage? {
    guard let found = topic?.partition(partition), found.leader != .none else { return nil }
    return found
  }

  /// Adds what a client that is told of other leaders needs to reach them.
  func nameLeaders(in response: inout ProduceResponse, for client: ClientIdentity) {
    var leaders: Set<BrokerID> = []
    for (place, topic) in response.responses.enumerated() {
      for (number, answer) in topic.partitionResponses.enumerated() where Self.meansOtherLeader(answer.errorCode) {
        guard let partition = currentLeader(image.topic(named: topic.name), answer.index) else { continue }
        response.responses[place].partitionResponses[number].currentLeader = .init(
          leaderId: partition.leader.value, leaderEpoch: partition.leaderEpoch.value)
        leaders.insert(partition.leader)
      }
    }
    response.nodeEndpoints = leaders.sorted().compactMap { id in
      guard let broker = image.brokers[id] else { return nil }
      let endpoint = endpoint(of: broker, for: client)
      return .init(nodeId: id.value, host: endpoint.host, port: endpoint.port, rack: broker.rack)
    }
  }

  /// The same for a fetch, whose topics have ids from version 13 on.
  func nameLeaders(in response: inout FetchResponse, for client: ClientIdentity) {
    var leaders: Set<BrokerID> = []
    for (place, topic) in response.responses.enumerated() {
      for (number, answer) in topic.partitions.enumerated() where Self.meansOtherLeader(answer.errorCode) {
        let known = topic.topicId.isZero ? image.topic(named: topic.topic) : image.topic(id: topic.topicId)
        guard let partition = currentLeader(known, answer.partitionIndex) else { continue }
        response.responses[place].partitions[number].currentLeader = .init(
          leaderId: partition.leader.value, leaderEpoch: partition.leaderEpoch.value)
        leaders.insert(partition.leader)
      }
    }
    response.nodeEndpoints = leaders.sorted().compactMap { id in
      guard let broker = image.brokers[id] else { return nil }
      let endpoint = endpoint(of: broker, for: client)
      return .init(nodeId: id.value, host: endpoint.host, port: endpoint.port, rack: broker.rack)
    }
  }
}
