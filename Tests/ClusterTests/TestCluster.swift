import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

/// A controller with its log, driven as the broker drives it: decide, append, replay.
struct TestCluster {
  var controller: Controller
  private(set) var log: [MetadataRecord] = []
  var image: ClusterImage { controller.image }

  /// A cluster of brokers 1, 2, ... in the given racks.
  init(racks: [String?] = [nil], config: BrokerConfig = BrokerConfig()) throws(KafkaError) {
    controller = Controller(config: config, randomSeed: 11)
    _ = try run(.createCluster(id: "cluster-1"))
    for (index, rack) in racks.enumerated() {
      let endpoint = BrokerEndpoint(name: "PLAINTEXT", host: "h\(index + 1)", port: 9092)
      _ = try run(
        .registerBroker(BrokerRegistration(id: BrokerID(Int32(index + 1)), rack: rack, endpoints: [endpoint])))
    }
  }

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
