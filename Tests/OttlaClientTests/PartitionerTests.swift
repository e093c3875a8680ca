import OttlaClient
import TestServers
import Testing

@Suite struct PartitionerTests {
  /// Of Kafka's own tests of its hash: `Utils.toPositive(Utils.murmur2(key)) % count` in Java.
  @Test func keysAreHashedAsInJava() {
    let hashes: [(key: String, hash: Int32)] = [
      ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
      ("a-little-bit-longer-string", -1_486_304_829), ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ]
    for (key, hash) in hashes {
      for count: Int32 in [1, 2, 3, 100] {
        let partition = ProducerConfiguration.Partitioner.murmur2Random.partition(of: Array(key.utf8), among: count)
        #expect(partition == (hash & 0x7fff_ffff) % count, "\(key)")
      }
    }
  }

  @Test func chanceIsNotForetold() {
    let key = Array("k".utf8)
    #expect(ProducerConfiguration.Partitioner.random.partition(of: key, among: 1) == nil)
    #expect(ProducerConfiguration.Partitioner.consistentRandom.partition(of: [], among: 1) == nil)
    #expect(ProducerConfiguration.Partitioner.consistentRandom.partition(of: key, among: 1) == 0)
  }

  /// What is said is where the records go.
  @Test(arguments: [
    ProducerConfiguration.Partitioner.murmur2Random, .murmur2, .consistentRandom, .consistent, .fnv1aRandom, .fnv1a,
  ])
  func recordsGoWhereItIsSaid(_ partitioner: ProducerConfiguration.Partitioner) async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 7)
    var configuration = broker.producerConfiguration
    configuration.partitioner = partitioner
    try await withProducer(configuration) { producer in
      for number in 0..<30 {
        let key = Array((number == 0 ? "" : "key \(number)").utf8)
        let report = try await producer.send(ProducerRecord(topic: "t", key: key, value: []))
        if let said = partitioner.partition(of: key, among: 7) { #expect(report.partition == said, "key \(number)") }
      }
    }
  }
}
