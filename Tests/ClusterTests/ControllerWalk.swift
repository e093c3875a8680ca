import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

/// A random history of a cluster of five brokers: they die, return with or without losses, bounce unseen; leaders ask for
/// ISRs, rightly and wrongly; operators move and elect.
struct ControllerWalk {
  static let brokerIDs: ClosedRange<Int32> = 1...5
  var cluster: TestCluster
  var walk: Walk
  var checker = ControllerChecker()
  /// The folders that each broker has.
  private var data: [Int32: UInt64] = [:]

  init(seed: Int) throws {
    walk = Walk(seed: UInt64(seed))
    cluster = try TestCluster(racks: ["x", "y", "x", nil, nil])
  }

  mutating func step() throws {
    switch walk.below(22) {
    case 0: try createTopic()
    case 1...3: changeBrokers()
    case 4: if walk.below(4) == 0 { try run(.deleteTopics(DeleteTopicsRequest(topicNames: [topicName()]))) }
    case 5: try growTopic()
    case 6: try heartbeat()
    case 7: try electLeaders()
    case 8: try run(.balanceLeaders)
    case 9...11: try reassign()
    case 12: try configure()
    case 13: try run(.unregisterBroker(randomBroker()))
    case 14, 15: try stateReplicas()
    default: try alterPartition()
    }
    // Often several changes of brokers are seen as one.
    if walk.below(3) > 0 { try tellPresent() }
  }

  /// A command of which a refusal is as good as its success.
  mutating func run(_ command: ControllerCommand) throws {
    let before = cluster.image
    let position = cluster.log.count
    do { try cluster.run(command) } catch {}
    checker.check(command, before: before, after: cluster.image, records: Array(cluster.log[position...]))
  }

  // MARK: brokers

  private mutating func changeBrokers() {
    for _ in 0...walk.below(3) {
      let id = Int32(1 + walk.below(5))
      switch walk.below(6) {
      case 0, 1: cluster.end(id)
      case 2: cluster.resume(id)
      default: begin(id)
      }
    }
  }

  private mutating func begin(_ id: Int32) {
    if walk.below(10) == 0 { data[id, default: 1] += 1 }
    let lastRun: LastRun =
      switch walk.below(5) {
      case 0: .stopped(brokerEpoch: cluster.epoch(of: id))
      case 1: .stopped(brokerEpoch: Int64(walk.below(100)))
      case 2: .killed
      case 3: .foldersGone
      default: .lost
      }
    cluster.begin(id, lastRun: lastRun, data: data[id, default: 1])
  }

  mutating func tellPresent() throws {
    try run(.brokersPresent(cluster.living.values.sorted { $0.presence.id < $1.presence.id }))
  }

  private mutating func heartbeat() throws {
    let id = randomBroker()
    let stale = walk.below(4) == 0
    try run(
      .brokerHeartbeat(
        BrokerHeartbeatRequest(
          brokerId: id.value, brokerEpoch: cluster.epoch(of: id.value) - (stale ? 7 : 0), currentMetadataOffset: 0,
          wantShutDown: walk.below(2) == 0)))
  }

  private mutating func randomBroker() -> BrokerID { BrokerID(Int32(1 + walk.below(5))) }

  // MARK: topics

  private mutating func topicName() -> String { "t\(walk.below(5))" }

  private mutating func createTopic() throws {
    var configs: [(String, String?)] = []
    if walk.below(2) == 0 { configs.append(("durability", "replicated")) }
    if walk.below(3) == 0 { configs.append(("unclean.leader.election.enable", "true")) }
    let topic = wanted(
      topicName(), partitions: Int32(1 + walk.below(3)), replicas: Int16(1 + walk.below(3)), configs: configs)
    try run(.createTopics(CreateTopicsRequest(topics: [topic])))
  }

  private mutating func growTopic() throws {
    let topic = CreatePartitionsRequest.CreatePartitionsTopic(name: topicName(), count: Int32(1 + walk.below(4)))
    try run(.createPartitions(CreatePartitionsRequest(topics: [topic])))
  }

  private mutating func configure() throws {
    let config = IncrementalAlterConfigsRequest.AlterableConfig(
      name: "unclean.leader.election.enable", configOperation: Int8(walk.below(2)),
      value: walk.below(2) == 0 ? "true" : "false")
    let isOfAll = walk.below(8) == 0
    try run(
      .incrementalAlterConfigs(
        IncrementalAlterConfigsRequest(resources: [
          .init(resourceType: isOfAll ? 4 : 2, resourceName: isOfAll ? "" : topicName(), configs: [config])
        ])))
  }

  // MARK: partitions

  private mutating func randomPartition() -> (name: String, index: Int32, PartitionImage)? {
    let name = topicName()
    guard let topic = cluster.image.topic(named: name) else { return nil }
    let index = walk.below(topic.partitions.count)
    return (name, Int32(index), topic.partitions[index])
  }

  private mutating func alterPartition() throws {
    guard let (name, index, partition) = randomPartition() else { return }
    var isr = partition.replicas.map(\.value).filter { _ in walk.below(4) > 0 }
    if walk.below(8) == 0 { isr.append(Int32(1 + walk.below(6))) }
    if walk.below(12) > 0, partition.leader != .none, !isr.contains(partition.leader.value) {
      isr.insert(partition.leader.value, at: 0)
    }
    var request = try cluster.proposal(isr, topic: name, index: index)
    switch walk.below(12) {
    case 0: request.brokerEpoch -= 7
    case 1: request.topics[0].partitions[0].leaderEpoch -= 1
    case 2: request.topics[0].partitions[0].partitionEpoch -= Int32(1 + walk.below(2))
    case 3: request.topics[0].partitions[0].leaderEpoch += 1
    case 4: if !isr.isEmpty { request.topics[0].partitions[0].newIsrWithEpochs[0].brokerEpoch -= 7 }
    default: break
    }
    try run(.alterPartition(request))
  }

  /// A broker says of some of its replicas that it has lost them, or has them again.
  private mutating func stateReplicas() throws {
    guard let (name, index, partition) = randomPartition(), let id = cluster.image.topic(named: name)?.id else {
      return
    }
    let broker = walk.below(8) == 0 ? randomBroker() : partition.replicas[walk.below(partition.replicas.count)]
    let directory = walk.below(2) == 0 ? DirectoryID.lost : DirectoryID.unassigned
    var request = cluster.statement(directory, id, [index, Int32(walk.below(4))], by: broker.value)
    if walk.below(8) == 0 { request.brokerEpoch -= 7 }
    try run(.assignReplicasToDirs(request))
  }

  private mutating func electLeaders() throws {
    let partitions = (0..<3).map { Int32($0) }
    let topics = [ElectLeadersRequest.TopicPartitions(topic: topicName(), partitions: partitions)]
    try run(
      .electLeaders(
        ElectLeadersRequest(
          electionType: walk.below(4) == 0 ? 1 : 0, topicPartitions: walk.below(3) == 0 ? nil : topics)))
  }

  private mutating func reassign() throws {
    guard let (name, index, _) = randomPartition() else { return }
    var target: [Int32] = []
    for _ in 0...walk.below(3) {
      let id = Int32(1 + walk.below(5))
      if !target.contains(id) || walk.below(20) == 0 { target.append(id) }
    }
    let partition = AlterPartitionReassignmentsRequest.ReassignablePartition(
      partitionIndex: index, replicas: walk.below(4) == 0 ? nil : target)
    try run(
      .alterPartitionReassignments(
        AlterPartitionReassignmentsRequest(
          allowReplicationFactorChange: walk.below(4) > 0, topics: [.init(name: name, partitions: [partition])])))
  }

  // MARK: the end of all faults

  private mutating func findAll() throws {
    for name in cluster.image.topicNames {
      guard let topic = cluster.image.topic(named: name) else { continue }
      for (index, partition) in topic.partitions.enumerated() {
        for broker in partition.offlineReplicas {
          try run(
            .assignReplicasToDirs(
              cluster.statement(DirectoryID.unassigned, topic.id, [Int32(index)], by: broker.value)))
        }
      }
    }
  }

  /// Everybody is back and well, and followers catch up: each partition has a leader, unless what it had is lost; every
  /// move has ended.
  mutating func heal() throws {
    for id in Self.brokerIDs {
      if let known = cluster.image.brokers[BrokerID(id)], cluster.living[id] != nil, !known.isShuttingDown { continue }
      cluster.begin(id, lastRun: .killed, data: data[id, default: 1])
    }
    try tellPresent()
    try findAll()
    for name in cluster.image.topicNames {
      for index in (cluster.image.topic(named: name)?.partitions ?? []).indices {
        let index = Int32(index)
        if try cluster.partition(name, index).leader == .none {
          #expect(try !cluster.partition(name, index).doubtfulReplicas.isEmpty)
          let topics = [ElectLeadersRequest.TopicPartitions(topic: name, partitions: [index])]
          try run(.electLeaders(ElectLeadersRequest(electionType: 1, topicPartitions: topics)))
        }
        let replicas = try cluster.partition(name, index).replicas.map(\.value)
        try run(.alterPartition(try cluster.proposal(replicas, topic: name, index: index)))
        let partition = try cluster.partition(name, index)
        #expect(Set(partition.isr) == Set(partition.replicas) && !partition.isReassigning)
      }
    }
  }
}
