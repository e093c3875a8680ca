internal import KafkaProtocol
internal import Primitives

/// Who makes topics, and lets replicas lead that may have lost records where nobody else may.
final class Admin: SimulatedClient {
  private var pending: Set<String> = []

  override var isDone: Bool { pending.isEmpty }

  /// Makes a topic, trying until it is there; then calls `done`.
  func create(_ topic: String, partitions: Int32, done: @escaping () -> Void) {
    pending.insert(topic)
    guard let connection = anyConnection() else { return }
    let request = CreateTopicsRequest(
      topics: [.init(name: topic, numPartitions: partitions, replicationFactor: -1)], timeoutMs: 1000)
    connection.send(.createTopics(request), version: 7, timeoutMs: 1500) { [weak self] answer in
      guard let self else { return }
      if case .createTopics(let body)? = answer?.response, let code = body.topics.first?.errorCode,
        code == .none || code == .topicAlreadyExists
      {
        pending.remove(topic)
        return done()
      }
      call(inMs: 100) { [unowned self] in create(topic, partitions: partitions, done: done) }
    }
  }

  /// Lets other brokers hold a partition (KIP-455).
  func reassign(_ partition: TopicPartition, to replicas: [BrokerID]) {
    guard let connection = anyConnection() else { return }
    let request = AlterPartitionReassignmentsRequest(
      timeoutMs: 1000,
      topics: [
        .init(
          name: partition.topic,
          partitions: [.init(partitionIndex: partition.partition, replicas: replicas.map(\.value))])
      ])
    connection.send(.alterPartitionReassignments(request), version: 0, timeoutMs: 1500) { _ in }
  }

  /// Lets the preferred replicas lead again.
  func electPreferred(_ partition: TopicPartition) {
    guard let connection = anyConnection() else { return }
    let request = ElectLeadersRequest(
      electionType: 0, topicPartitions: [.init(topic: partition.topic, partitions: [partition.partition])],
      timeoutMs: 1000)
    connection.send(.electLeaders(request), version: 2, timeoutMs: 1500) { _ in }
  }

  /// Lets some replica lead, though it may have lost records: an operator's last resort.
  func electUncleanly(_ partition: TopicPartition) {
    guard let connection = anyConnection() else { return }
    let request = ElectLeadersRequest(
      electionType: 1, topicPartitions: [.init(topic: partition.topic, partitions: [partition.partition])],
      timeoutMs: 1000)
    connection.send(.electLeaders(request), version: 2, timeoutMs: 1500) { _ in }
  }
}
