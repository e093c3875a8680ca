import Client
import Primitives
import Testing

@Suite struct ProduceConsumeTests {
  private func produce(_ count: Int, to topic: String, _ settings: ClientSettings, keyed: Bool = true) throws {
    let producer = try Producer(settings)
    for number in 0..<count {
      let key = Array("k\(number)".utf8)
      let value = Array("v\(number)".utf8)
      try key.withUnsafeBytes { key in
        try value.withUnsafeBytes { try producer.send(topic: topic, key: keyed ? key : nil, value: $0) }
      }
    }
    #expect(producer.flush(timeoutMs: 10_000))
    #expect(producer.tally.delivered == count)
    #expect(producer.tally.failed == 0)
  }

  private func partitions(_ topic: String, _ count: Int32) -> [TopicPartition] {
    (0..<count).map { TopicPartition(topic, $0) }
  }

  @Test func whatIsSentIsReadInOrderToTheEnd() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 3)
    try produce(500, to: "t", cluster.settings)

    let consumer = try Consumer(cluster.settings, partitions: partitions("t", 3), start: .earliest)
    var values: Set<String> = []
    var nextOffsets: [Int32: Int64] = [:]
    let watch = Stopwatch()
    while !consumer.isAtEnd, watch.seconds < 20 {
      _ = try consumer.poll(timeoutMs: 100) { record in
        #expect(record.offset == nextOffsets[record.partition, default: 0])
        nextOffsets[record.partition] = record.offset + 1
        values.insert(String(decoding: record.value ?? .init(start: nil, count: 0), as: UTF8.self))
        return true
      }
    }
    #expect(consumer.isAtEnd)
    #expect(values == Set((0..<500).map { "v\($0)" }))
  }

  @Test func aGroupGoesOnWhereItStopped() throws {
    let cluster = try MockCluster()
    cluster.createTopic("g", partitions: 1)
    try produce(100, to: "g", cluster.settings)

    var seen: [Int64] = []
    var settings = cluster.settings
    // The pretended coordinator keeps a member that left until its session ends.
    settings.properties = [("session.timeout.ms", "6000")]
    for (stopAt, expected) in [(30, 30), (1000, 100)] {
      let consumer = try Consumer(settings, group: "readers", topics: ["g"], start: .earliest)
      let watch = Stopwatch()
      while !consumer.isAtEnd, seen.count < stopAt, watch.seconds < 20 {
        _ = try consumer.poll(timeoutMs: 100) { record in
          seen.append(record.offset)
          return seen.count < stopAt
        }
      }
      #expect(consumer.close() == nil)
      #expect(seen == (0..<Int64(expected)).map { $0 })
    }
  }

  /// A member that stopped early says for every partition where it stands, also for those it read nothing of.
  @Test func aGroupThatStoppedEarlyMissesNothing() throws {
    let cluster = try MockCluster()
    cluster.createTopic("e", partitions: 3)
    try produce(60, to: "e", cluster.settings)
    var settings = cluster.settings
    settings.properties = [("session.timeout.ms", "6000")]
    var seen: Set<String> = []
    for (start, stopAt) in [(StartPosition.earliest, 1), (.latest, 1000)] {
      let consumer = try Consumer(settings, group: "early", topics: ["e"], start: start)
      let watch = Stopwatch()
      while !consumer.isAtEnd, seen.count < stopAt, watch.seconds < 20 {
        _ = try consumer.poll(timeoutMs: 100) { record in
          seen.insert("\(record.partition)@\(record.offset)")
          return seen.count < stopAt
        }
      }
      #expect(consumer.close() == nil)
    }
    #expect(seen.count == 60)
  }

  @Test func headersTimesAndNullsArriveAsSent() throws {
    let cluster = try MockCluster()
    cluster.createTopic("h", partitions: 1)
    let producer = try Producer(cluster.settings)
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    try producer.send(
      topic: "h", key: empty, value: nil, headers: [("a", Array("1".utf8)), ("b", nil), ("c", [])], timestamp: 1234)
    #expect(producer.flush(timeoutMs: 10_000))

    let consumer = try Consumer(cluster.settings, partitions: partitions("h", 1), start: .earliest)
    let format = try RecordFormat("%t [%p] %o k=%K s=%S T=%T h=%h %%\\x21\\n")
    let output = OutputBuffer()
    let watch = Stopwatch()
    while output.isEmpty, watch.seconds < 20 {
      _ = try consumer.poll(timeoutMs: 100) { record in
        format.write(record, into: output)
        return true
      }
    }
    #expect(String(decoding: output.bytes, as: UTF8.self) == "h [0] 0 k=0 s=-1 T=1234 h=a=1,b=NULL,c= %!\n")
  }

  @Test func aRecordThatCannotBeSentSaysSo() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    var settings = cluster.settings
    settings.properties = [("message.max.bytes", "1000")]
    let producer = try Producer(settings)
    let large = [UInt8](repeating: 1, count: 2000)
    #expect(throws: ClientError.self) {
      try large.withUnsafeBytes { try producer.send(topic: "t", key: nil, value: $0) }
    }
    // Refused at once when the topic is known already, given up later when it is not.
    do {
      try large[..<10].withUnsafeBytes { try producer.send(topic: "t", partition: 7, key: nil, value: $0) }
      _ = producer.flush(timeoutMs: 10_000)
      #expect(producer.tally.failed == 1)
      #expect(producer.tally.summary.contains("Unknown partition"))
    } catch {
      #expect("\(error)".contains("Unknown partition"))
    }
  }

  @Test func anUnknownPropertyIsNamed() {
    let settings = ClientSettings(bootstrap: [BrokerAddress(host: "h", port: 1)], properties: [("no.such", "1")])
    #expect {
      _ = try Producer(settings)
    } throws: { "\($0)".contains("no.such") }
  }
}
