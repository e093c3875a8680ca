import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private let samples: [MetadataRecord] = [
  .cluster(ClusterRecord(clusterId: "abc")),
  .broker(
    BrokerRecord(
      brokerId: 1, brokerEpoch: 7, rack: nil,
      endpoints: [
        BrokerRecord.BrokerEndpoint(name: "PLAINTEXT", host: "h", port: 9092, securityProtocol: 0),
        BrokerRecord.BrokerEndpoint(name: "OTHER", host: "", port: -1, securityProtocol: 3),
      ])),
  .broker(BrokerRecord(brokerId: 2, brokerEpoch: 8, rack: "r", endpoints: [])),
  .topic(TopicRecord(name: "t", topicId: UUID(high: 1, low: 2))),
  .partition(
    PartitionRecord(
      topicId: UUID(high: 1, low: 2), partitionIndex: 3, replicas: [1, 2], isr: [2], leader: 2, leaderEpoch: 5,
      partitionEpoch: 6)),
  .removeTopic(RemoveTopicRecord(topicId: UUID(high: .max, low: 0))),
  .config(ConfigRecord(resourceType: 2, resourceName: "t", name: "retention.ms", value: "1")),
  .config(ConfigRecord(resourceType: 4, resourceName: "", name: "x", value: nil)),
  .producerIds(ProducerIdsRecord(nextProducerId: 1000)),
  .removeBroker(RemoveBrokerRecord(brokerId: 2)),
]

@Suite struct MetadataRecordTests {
  @Test func whatIsWrittenIsRead() {
    for record in samples { #expect(MetadataRecord.decode(record.encode()) == record) }
  }

  /// These bytes are on disks: they never change.
  @Test func theBytesAreFixed() {
    #expect(
      MetadataRecord.topic(TopicRecord(name: "ab", topicId: UUID(high: 1, low: 2))).encode() == [
        0, 3, 3, 0x61, 0x62, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0,
      ])
    #expect(
      MetadataRecord.config(ConfigRecord(resourceType: 2, resourceName: "a", name: "b", value: nil)).encode() == [
        0, 6, 2, 2, 0x61, 2, 0x62, 0, 0,
      ])
    #expect(samples.map(\.type) == [1, 2, 2, 3, 4, 5, 6, 6, 7, 8])
  }

  @Test func damageIsNoRecord() {
    #expect(MetadataRecord.decode([]) == nil)
    #expect(MetadataRecord.decode([0]) == nil)
    #expect(MetadataRecord.decode([0, 99, 0]) == nil)
    for record in samples {
      let bytes = record.encode()
      for length in 0..<bytes.count { #expect(MetadataRecord.decode(Array(bytes.prefix(length))) == nil) }
      #expect(MetadataRecord.decode(bytes + [0]) == nil)
    }
  }
}
