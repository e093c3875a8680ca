import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerBatchTests {
  @Test func eachCommandIsDecidedOnWhatTheOnesBeforeLeave() throws {
    let cluster = try TestCluster()
    let create = ControllerCommand.createTopics(CreateTopicsRequest(topics: [wanted("a", partitions: 2)]))
    let batch = cluster.controller.decideBatch(
      [
        create, create, .unregisterBroker(BrokerID(1)), .allocateProducerIDs(count: 5), .allocateProducerIDs(count: 5),
        .createCluster(id: "cluster-1"),
      ], at: Timestamp(milliseconds: 0))
    #expect(cluster.image.topicCount == 0)
    #expect(batch.records.count == 1 + 2 + 2)
    #expect(batch.results.count == 6)
    guard case .success(.createTopics(let first)) = batch.results[0],
      case .success(.createTopics(let second)) = batch.results[1]
    else { throw UnexpectedReply() }
    #expect(first.topics.map(\.errorCode) == [.none] && second.topics.map(\.errorCode) == [.topicAlreadyExists])
    guard case .failure(let refused) = batch.results[2] else { throw UnexpectedReply() }
    #expect(refused.code == .invalidRequest)
    #expect(batch.results[3] == .success(.producerIDs(first: ProducerID(0), count: 5)))
    #expect(batch.results[4] == .success(.producerIDs(first: ProducerID(5), count: 5)))
    #expect(batch.results[5] == .success(.clusterCreated(id: "cluster-1")))
  }

  @Test func nothingIsABatchToo() throws {
    let batch = try TestCluster().controller.decideBatch([], at: Timestamp(milliseconds: 0))
    #expect(batch.records.isEmpty && batch.results.isEmpty)
  }

  /// The dynamic configs of brokers are in force for the next command of the same batch.
  @Test func configsCountAtOnce() throws {
    let config = AlterConfigsRequest.AlterableConfig(name: "log.retention.ms", value: "77")
    let alter = AlterConfigsRequest(resources: [.init(resourceType: 4, resourceName: "", configs: [config])])
    let batch = try TestCluster().controller.decideBatch(
      [.alterConfigs(alter), .createTopics(CreateTopicsRequest(topics: [wanted("a")]))], at: Timestamp(milliseconds: 0))
    guard case .success(.createTopics(let made)) = batch.results[1] else { throw UnexpectedReply() }
    #expect(made.topics.first?.configs?.first { $0.name == "retention.ms" }?.value == "77")
  }
}
