import Client
import Foundation
import KafkaProtocol
import OttlaTesting
import Primitives
import Records
import Testing

/// A Kafka client of a test, at the brokers it is told of: librdkafka for records, requests of its own for everything else.
struct TestClient {
  let bootstrap: [BrokerAddress]

  init(_ bootstrapServers: String) {
    bootstrap = bootstrapServers.split(separator: ",").compactMap { BrokerAddress($0) }
  }

  private func settings(_ more: [(name: String, value: String)] = []) -> ClientSettings {
    ClientSettings(
      bootstrap: bootstrap,
      properties: [("reconnect.backoff.ms", "10"), ("reconnect.backoff.max.ms", "100"), ("retry.backoff.ms", "20")]
        + more)
  }

  func createTopic(
    _ name: String, partitions: Int32 = 1, replicas: Int16? = nil, configs: [(name: String, value: String)] = []
  ) throws {
    _ = try AdminClient(bootstrap: bootstrap).createTopic(
      name, partitions: partitions, replicationFactor: replicas, configs: configs)
  }

  /// Sends with acks=all; returns how many were acknowledged.
  @discardableResult
  func produce(_ values: [String], to topic: String, partition: Int32 = 0) throws -> Int {
    let producer = try Producer(settings([("linger.ms", "0")]))
    for value in values {
      try Array(value.utf8).withUnsafeBytes {
        try producer.send(topic: topic, partition: partition, key: nil, value: $0)
      }
    }
    _ = producer.flush(timeoutMs: 30_000)
    if producer.tally.failed > 0 { Issue.record("\(producer.tally.summary)") }
    return producer.tally.delivered
  }

  /// All values of a partition, in order.
  func consume(_ topic: String, partition: Int32 = 0) throws -> [String] {
    let consumer = try Consumer(settings(), partitions: [TopicPartition(topic, partition)], start: .earliest)
    var values: [String] = []
    let watch = Stopwatch()
    while !consumer.isAtEnd, watch.seconds < 30 {
      _ = try consumer.poll(timeoutMs: 100) { record in
        values.append(record.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
        return true
      }
    }
    #expect(consumer.isAtEnd)
    return values
  }

  func offset(_ query: OffsetQuery, of topic: String, partition: Int32 = 0) throws -> Int64? {
    let name = TopicPartition(topic, partition)
    return try AdminClient(bootstrap: bootstrap).listOffsets([name], query)[name]?.offset
  }

  func isr(of topic: String, partition: Int = 0) throws -> [Int32] {
    try AdminClient(bootstrap: bootstrap).partitions(of: topic)[partition].isrNodes.sorted()
  }

  /// One Produce request with acks=all, as it is answered, without a client that tries again.
  func produceOnce(_ value: String, to topic: String) throws -> ErrorCode {
    // Of the machine, as any client's.
    let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    var batch = RecordBatchBuilder()
    batch.append(key: nil, value: Array(value.utf8), timestamp: now)
    let partition = ProduceRequest.PartitionProduceData(index: 0, records: .bytes(batch.build()))
    let request = ProduceRequest(
      acks: -1, timeoutMs: 5000, topicData: [.init(name: topic, partitionData: [partition])])
    let answer = try connection().ask(.produce, request, versionMax: 9, as: ProduceResponse.self)
    return try #require(answer.responses.first?.partitionResponses.first).errorCode
  }

  /// A connection to the first broker.
  func connection() throws -> AdminConnection { try AdminConnection.first(of: bootstrap) }
}

/// Tries until it holds, for half a minute.
func eventually(_ condition: () throws -> Bool) async -> Bool {
  let watch = Stopwatch()
  while watch.seconds < 30 {
    if (try? condition()) == true { return true }
    try? await Task.sleep(for: .milliseconds(20))
  }
  return false
}
