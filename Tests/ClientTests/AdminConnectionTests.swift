import Client
import Glibc
import KafkaProtocol
import Primitives
import Testing

@Suite struct AdminConnectionTests {
  private func address(_ cluster: MockCluster) throws -> BrokerAddress {
    try #require(BrokerAddress.list(cluster.bootstrap)?.first)
  }

  /// The pretended brokers answer ApiVersions 3 with UNSUPPORTED_VERSION in version 0, as old ones do.
  @Test func negotiatesDownToWhatAnOldBrokerSpeaks() throws {
    let cluster = try MockCluster()
    cluster.createTopic("orders", partitions: 3)
    let connection = try AdminConnection(to: try address(cluster))
    #expect(connection.offers(.produce))
    #expect(!connection.offers(.createTopics))
    let request = MetadataRequest(topics: [.init(name: "orders")])
    let answer = try connection.ask(.metadata, request, as: MetadataResponse.self)
    #expect(answer.topics.map(\.name) == ["orders"])
    #expect(answer.topics.first?.partitions.count == 3)
  }

  @Test func whatABrokerDoesNotOfferIsNamed() throws {
    let cluster = try MockCluster()
    let admin = try AdminClient(bootstrap: [try address(cluster)])
    #expect {
      _ = try admin.createTopic("t", partitions: 1, replicationFactor: 1, configs: [])
    } throws: { "\($0)".contains("does not offer CreateTopics") }
  }

  @Test func endsOfPartitionsAreFoundAtTheirLeaders() throws {
    // A partition a broker: in an answer with two, the pretended brokers write leader epochs of eight bytes.
    let cluster = try MockCluster(brokers: 3)
    cluster.createTopic("t", partitions: 3)
    for partition in 0..<Int32(3) { cluster.setLeader(of: "t", partition, broker: partition + 1) }
    let producer = try Producer(cluster.settings)
    for number in 0..<12 {
      try [UInt8(number)].withUnsafeBytes {
        try producer.send(topic: "t", partition: Int32(number % 2), key: nil, value: $0)
      }
    }
    #expect(producer.flush(timeoutMs: 10_000))
    let admin = try AdminClient(bootstrap: [try address(cluster)])
    let partitions = (0..<3).map { Primitives.TopicPartition("t", Int32($0)) }
    let ends = try admin.listOffsets(partitions, .latest)
    #expect(partitions.map { ends[$0]?.offset } == [6, 6, 0])
    #expect(try admin.listOffsets(partitions, .earliest).values.allSatisfy { $0.offset == 0 })
  }

  @Test func aRefusedConnectionIsOneSentence() {
    #expect {
      _ = try AdminClient(bootstrap: [BrokerAddress(host: "127.0.0.1", port: 1)])
    } throws: {
      "\($0)".hasPrefix("no broker answers at 127.0.0.1:1 (connection refused); is it running?")
    }
  }

  @Test func aServerThatSaysNothingIsGivenUp() throws {
    let server = try SilentServer()
    let watch = Stopwatch()
    #expect {
      _ = try AdminClient(bootstrap: [server.address], timeoutMs: 200)
    } throws: { "\($0)".contains("no answer within 200 ms") }
    #expect(watch.milliseconds < 5000)
  }
}

/// Accepts connections, in the kernel alone, and never answers.
private final class SilentServer {
  private let descriptor: Int32
  let address: BrokerAddress

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let bound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(bound)
    address = BrokerAddress(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
  }

  deinit { close(descriptor) }
}
