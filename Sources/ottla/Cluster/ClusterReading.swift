import Client
import KafkaProtocol
import Primitives

extension ClusterView {
  /// Asks the cluster for all there is to know of its brokers and partitions.
  static func read(_ admin: AdminClient) throws(ClientError) -> ClusterView {
    let cluster = try admin.describeCluster()
    let topics = try admin.metadata(topics: nil).topics.filter { $0.errorCode == .none }
    let names = topics.compactMap(\.name)
    let minimum = try admin.topicProperty("min.insync.replicas", of: names)
    let moving = try admin.canMoveReplicas() ? Set(admin.ongoingReassignments().map(\.partition)) : []
    let partitions = topics.flatMap { topic -> [Partition] in
      let name = topic.name ?? ""
      return topic.partitions.map { partition in
        Partition(
          name: TopicPartition(name, partition.partitionIndex), isInternal: topic.isInternal,
          leader: partition.leaderId, replicas: partition.replicaNodes, isr: partition.isrNodes,
          minInsyncReplicas: minimum[name].flatMap { Int($0) } ?? 1,
          isMoving: moving.contains(TopicPartition(name, partition.partitionIndex)))
      }
    }
    return ClusterView(
      clusterID: cluster.clusterId, controller: cluster.controllerId,
      brokers: cluster.brokers.map {
        Broker(id: $0.brokerId, host: $0.host, port: $0.port, rack: $0.rack, isFenced: $0.isFenced)
      }.sorted { $0.id < $1.id },
      partitions: partitions.sorted { ($0.name.topic, $0.name.partition) < ($1.name.topic, $1.name.partition) })
  }
}

/// A cluster that is asked again and again, while brokers of it come and go.
final class ClusterWatch {
  private let bootstrap: [BrokerAddress]
  private let timeoutMs: Int64
  private var client: AdminClient?
  private var hasAnswered = false
  private var learned: [BrokerAddress] = []
  /// How long nobody may answer before the watch gives up.
  private let patienceMs: Int64

  init(bootstrap: [BrokerAddress], timeoutMs: Int64, patienceMs: Int64 = 60_000) {
    self.bootstrap = bootstrap
    self.timeoutMs = timeoutMs
    self.patienceMs = patienceMs
  }

  /// Does `work`, again with another broker where the one that was asked is lost, until `patienceMs` are over. Only for
  /// work that may be done twice.
  func ask<Answer>(_ work: (AdminClient) throws(ClientError) -> Answer) throws(ClientError) -> Answer {
    let watch = Stopwatch()
    while true {
      do throws(ClientError) {
        let answer = try work(try connected())
        hasAnswered = true
        return answer
      } catch {
        client = nil
        // A cluster that never answered is not there, or elsewhere: that is said at once.
        guard hasAnswered, Self.passes(error), watch.milliseconds < patienceMs else { throw error }
      }
      pause(milliseconds: 300)
    }
  }

  private func connected() throws(ClientError) -> AdminClient {
    if let client { return client }
    // Those that were given first: where the cluster was moved, they are who knows.
    let addresses = bootstrap + learned.filter { !bootstrap.contains($0) }
    let made = try AdminClient(bootstrap: addresses, timeoutMs: timeoutMs)
    _ = try made.metadata(topics: [])
    learned = made.brokerAddresses
    client = made
    return made
  }

  private static func passes(_ error: ClientError) -> Bool {
    switch error {
    case .unreachable, .connectionLost: true
    case .refused(_, let refusal): AdminClient.passing.contains(refusal.code) || refusal.code == .brokerNotAvailable
    case .incompatible, .library, .tlsFailed, .loginRefused: false
    }
  }
}

extension Arguments {
  /// A watch on the cluster that `--bootstrap` names.
  func clusterWatch() throws -> ClusterWatch {
    ClusterWatch(bootstrap: try bootstrap(), timeoutMs: try integer("timeout", in: 1...3_600_000) ?? 10_000)
  }
}
