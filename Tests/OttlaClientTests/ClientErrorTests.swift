import OttlaClient
import TestServers
import Testing

@Suite struct ClientErrorTests {
  private func producer(_ servers: String, _ change: (inout ProducerConfiguration) -> Void = { _ in }) throws
    -> Producer
  {
    var configuration = ProducerConfiguration(bootstrapServers: servers)
    change(&configuration)
    return try Producer(configuration)
  }

  private func failure(_ producer: Producer, _ record: ProducerRecord) async throws -> ProducerError {
    let error = try await within(.seconds(30)) { () -> ProducerError? in
      do throws(ProducerError) {
        _ = try await producer.send(record)
        return nil
      } catch { return error }
    }
    return try #require(error)
  }

  @Test func noBrokerIsSaidAfterTheFirstContactTimeout() async throws {
    let producer = try producer("127.0.0.1:1") { $0.firstContactTimeoutMs = 300 }
    let error = try await failure(producer, ProducerRecord(topic: "t", value: "x"))
    guard case .notDelivered(.brokersUnavailable("127.0.0.1:1", let reason), mayArrive: false) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains("Connection refused"))
    #expect("\(error)".contains("no broker answers at 127.0.0.1:1") && error.isRetriable)
    try await producer.close()
    var configuration = ConsumerConfiguration(bootstrapServers: "127.0.0.1:1", groupId: "g")
    configuration.firstContactTimeoutMs = 300
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    await #expect {
      try await within(.seconds(10)) { for try await _ in consumer.records {} }
    } throws: { "\($0)".contains("no broker answers at 127.0.0.1:1") }
    try? await consumer.close(within: .milliseconds(100))
  }

  @Test func aNameThatIsNotKnownIsSaid() async throws {
    let producer = try producer("no-such-host.invalid:9092") { $0.firstContactTimeoutMs = 300 }
    let error = try await failure(producer, ProducerRecord(topic: "t", value: "x"))
    #expect("\(error)".contains("no-such-host.invalid:9092"), "\(error)")
    guard case .notDelivered(.brokersUnavailable, _) = error else {
      Issue.record("\(error)")
      return
    }
    try await producer.close()
  }

  @Test func credentialsThatAreRefusedAreSaidAtOnce() async throws {
    let server = try RefusingServer()
    let producer = try producer(server.address) {
      $0.security = .saslPlaintext(.plain(username: "u", password: "wrong"))
    }
    let error = try await failure(producer, ProducerRecord(topic: "t", value: "x"))
    guard case .notDelivered(.authenticationFailed(let reason), mayArrive: false) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains("no such user"))
    #expect(error.isFatal && !error.isRetriable)
    try? await producer.close(within: .zero)
    var configuration = ConsumerConfiguration(bootstrapServers: server.address, groupId: "g")
    configuration.security = .saslPlaintext(.plain(username: "u", password: "wrong"))
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    await #expect {
      try await within(.seconds(10)) { for try await _ in consumer.records {} }
    } throws: { "\($0)".contains("check mechanism, username and password") }
    try? await consumer.close(within: .zero)
  }

  @Test func whatCanNeverBeSentIsRefusedAtOnce() async throws {
    let broker = try TestBroker(settings: ["auto.create.topics.enable=false"])
    try await broker.createTopic("t")
    var configuration = broker.producerConfiguration
    // How long a topic may take until every broker has heard of it.
    configuration.other["topic.metadata.propagation.max.ms"] = "500"
    let producer = try Producer(configuration)
    let large = ProducerRecord(topic: "t", value: [UInt8](repeating: 0, count: 1_100_000))
    guard case .rejected(.messageTooLarge) = try await failure(producer, large) else {
      Issue.record("a record beyond message.max.bytes was taken")
      return
    }
    let unknown = try await failure(producer, ProducerRecord(topic: "none", value: "x"))
    #expect(unknown.cause == .unknownTopic("none"), "\(unknown)")
    let partition = try await failure(producer, ProducerRecord(topic: "t", partition: 7, value: "x"))
    #expect(partition.cause == .unknownPartition(TopicPartition("t", 7)), "\(partition)")
    #expect(throws: Never.self) { try producer.tryEnqueue(ProducerRecord(topic: "t", value: "fine")) }
    try await producer.close()
  }

  @Test(arguments: ["enable.auto.offset.store", "enable.partition.eof", "transactional.id"])
  func whatOurPromisesRestOnCannotBeSet(_ name: String) {
    var configuration = ConsumerConfiguration(bootstrapServers: "h:1", groupId: "g")
    configuration.other[name] = "true"
    #expect {
      try Consumer(configuration)
    } throws: {
      guard case .invalidValue(let property, _, _) = $0 as? ClientError else { return false }
      return property == name
    }
  }

  @Test func aValueThatMeansNothingIsNamed() {
    var configuration = ProducerConfiguration(bootstrapServers: "h:1")
    configuration.other["linger.ms"] = "soon"
    #expect {
      try Producer(configuration)
    } throws: { "\($0)".hasPrefix("'soon' is no value for linger.ms") }
    #expect(throws: ClientError.self) { try Producer(ProducerConfiguration(bootstrapServers: "")) }
  }
}
