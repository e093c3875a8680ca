import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

/// A controller with its log, driven as the broker drives it: decide, append, replay.
struct TestCluster {
  var controller: Controller
  private(set) var log: [MetadataRecord] = []
  /// The brokers that are alive, as the coordination service has them.
  private(set) var living: [Int32: PresentBroker] = [:]
  private var outOfSight: [Int32: PresentBroker] = [:]
  private var lastBrokerEpoch: Int64 = 100
  var image: ClusterImage { controller.image }

  /// A cluster of brokers 1, 2, ... in the given racks.
  init(racks: [String?] = [nil], config: BrokerConfig = BrokerConfig()) throws(KafkaError) {
    controller = Controller(config: config, randomSeed: 11)
    _ = try run(.createCluster(id: "cluster-1"))
    for (index, rack) in racks.enumerated() { begin(Int32(index + 1), rack: rack) }
    try settle()
  }

  // MARK: brokers

  /// A broker's process starts; the controller learns of it with the next `settle`.
  ///
  /// - Parameters:
  ///   - lastRun: how its run before this one ended; in order, and as the controller knows it, where nil.
  ///   - data: names its folders.
  mutating func begin(_ id: Int32, rack: String? = nil, lastRun: LastRun? = nil, data: UInt64 = 1) {
    lastBrokerEpoch += 7
    let presence = BrokerPresence(
      id: BrokerID(id), rack: rack, endpoints: [BrokerEndpoint(name: "PLAINTEXT", host: "h\(id)", port: 9092)],
      incarnation: UUID(high: 9, low: UInt64(lastBrokerEpoch)), dataID: UUID(high: UInt64(id), low: data),
      lastRun: lastRun ?? .stopped(brokerEpoch: image.brokers[BrokerID(id)]?.epoch ?? -1))
    living[id] = PresentBroker(presence: presence, epoch: lastBrokerEpoch)
  }

  /// A broker's process ends; the controller learns of it with the next `settle`.
  mutating func end(_ id: Int32) {
    outOfSight[id] = living[id] ?? outOfSight[id]
    living[id] = nil
  }

  /// A broker is seen again that had been out of sight, but never ended.
  mutating func resume(_ id: Int32) {
    if living[id] == nil { living[id] = outOfSight[id] }
  }

  /// The controller is told who is alive.
  @discardableResult
  mutating func settle() throws(KafkaError) -> ControllerReply {
    try run(.brokersPresent(living.values.sorted { $0.presence.id < $1.presence.id }))
  }

  /// Brokers die, and the controller learns of it.
  mutating func lose(_ ids: Int32...) throws(KafkaError) {
    for id in ids { end(id) }
    try settle()
  }

  /// A broker comes back, and the controller learns of it.
  mutating func `return`(_ id: Int32, lastRun: LastRun? = nil, data: UInt64 = 1) throws(KafkaError) {
    begin(id, lastRun: lastRun, data: data)
    try settle()
  }

  /// The epoch under which the controller knows a broker.
  func epoch(of id: Int32) -> Int64 { image.brokers[BrokerID(id)]?.epoch ?? -1 }

  /// A broker says that it wants to stop.
  mutating func shutDown(_ id: Int32) throws(KafkaError) -> BrokerHeartbeatResponse? {
    let reply = try run(
      .brokerHeartbeat(
        BrokerHeartbeatRequest(
          brokerId: id, brokerEpoch: epoch(of: id), currentMetadataOffset: image.offset.value, wantShutDown: true)))
    if case .brokerHeartbeat(let response) = reply { return response }
    return nil
  }

  // MARK: partitions

  func partition(_ topic: String = "a", _ index: Int32 = 0) throws -> PartitionImage {
    try #require(image.topic(named: topic)?.partition(index))
  }

  /// What a partition's leader asks when it wants `isr`, knowing everything as it is.
  func proposal(_ isr: [Int32], topic: String = "a", index: Int32 = 0) throws -> AlterPartitionRequest {
    let partition = try partition(topic, index)
    let data = AlterPartitionRequest.PartitionData(
      partitionIndex: index, leaderEpoch: partition.leaderEpoch.value,
      newIsrWithEpochs: isr.map {
        AlterPartitionRequest.BrokerState(brokerId: $0, brokerEpoch: epoch(of: $0))
      }, partitionEpoch: partition.partitionEpoch)
    let id = try #require(image.topic(named: topic)).id
    return AlterPartitionRequest(
      brokerId: partition.leader.value, brokerEpoch: epoch(of: partition.leader.value),
      topics: [AlterPartitionRequest.TopicData(topicId: id, partitions: [data])])
  }

  /// Sends an AlterPartition; the answer for its one partition.
  @discardableResult
  mutating func alter(_ request: AlterPartitionRequest) throws -> AlterPartitionResponse.PartitionData {
    guard case .alterPartition(let response) = try run(.alterPartition(request)) else { throw UnexpectedReply() }
    return try #require(response.topics.first?.partitions.first)
  }

  /// The leader of a partition gets the ISR it wants.
  mutating func sync(_ isr: [Int32], topic: String = "a", index: Int32 = 0) throws {
    let code = try alter(try proposal(isr, topic: topic, index: index)).errorCode
    #expect(code == .none)
  }

  /// Creates a topic whose partitions have these replicas.
  mutating func create(_ name: String, on replicas: [[Int32]], configs: [(String, String?)] = []) throws {
    let assignments = replicas.enumerated().map { (Int32($0.offset), $0.element) }
    let made = try create([
      wanted(name, partitions: -1, replicas: -1, configs: configs, assignments: assignments)
    ])
    #expect(made.map(\.errorCode) == [.none], "\(made.first?.errorMessage ?? "")")
  }

  // MARK: commands

  @discardableResult
  mutating func run(_ command: ControllerCommand) throws(KafkaError) -> ControllerReply {
    let now = Timestamp(milliseconds: 0)
    let decision = try controller.decide(command, at: now)
    let again = try controller.decide(command, at: now)
    #expect(decision.reply == again.reply && decision.records == again.records, "decide is not pure")
    for record in decision.records {
      log.append(record)
      controller.replay(record, at: Offset(Int64(log.count - 1)))
    }
    #expect(controller.image.ignoredRecordCount == 0)
    return decision.reply
  }

  mutating func create(_ topics: [CreateTopicsRequest.CreatableTopic], validateOnly: Bool = false) throws
    -> [CreateTopicsResponse.CreatableTopicResult]
  {
    let reply = try run(.createTopics(CreateTopicsRequest(topics: topics, validateOnly: validateOnly)))
    guard case .createTopics(let response) = reply else { throw UnexpectedReply() }
    return response.topics
  }

  /// Creates one topic; its answer.
  @discardableResult
  mutating func create(
    _ name: String, partitions: Int32 = 1, replicas: Int16 = 1, configs: [(String, String?)] = []
  ) throws -> CreateTopicsResponse.CreatableTopicResult {
    try #require(try create([wanted(name, partitions: partitions, replicas: replicas, configs: configs)]).first)
  }
}

func ids(_ values: Int32...) -> [BrokerID] { values.map { BrokerID($0) } }

struct UnexpectedReply: Error {}

func wanted(
  _ name: String, partitions: Int32 = 1, replicas: Int16 = 1, configs: [(String, String?)] = [],
  assignments: [(Int32, [Int32])] = []
) -> CreateTopicsRequest.CreatableTopic {
  CreateTopicsRequest.CreatableTopic(
    name: name, numPartitions: partitions, replicationFactor: replicas,
    assignments: assignments.map {
      CreateTopicsRequest.CreatableReplicaAssignment(partitionIndex: $0.0, brokerIds: $0.1)
    },
    configs: configs.map { CreateTopicsRequest.CreatableTopicConfig(name: $0.0, value: $0.1) })
}

/// Deterministic numbers for random walks.
struct Walk {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }
}
