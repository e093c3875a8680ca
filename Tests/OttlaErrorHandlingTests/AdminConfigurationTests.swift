import OttlaClient
import TestServers
import Testing

@testable import OttlaErrorHandling

@Suite struct AdminConfigurationTests {
  @Test func itIsTheConsumers() throws {
    var consumer = ConsumerConfiguration(bootstrapServers: "h:1", groupId: "g")
    consumer.clientId = "billing"
    consumer.security = .saslPlaintext(.plain(username: "u", password: "p"))
    consumer.other["socket.keepalive.enable"] = "true"
    let admin = try AdminConfiguration(like: consumer, for: "a test")
    #expect(admin.bootstrapServers == "h:1" && admin.clientId == "billing")
    guard case .saslPlaintext(.plain("u", "p")) = admin.security else {
      Issue.record("\(admin.security)")
      return
    }
  }

  @Test(arguments: ["security.protocol", "ssl.ca.location", "sasl.mechanism", "enable.ssl.certificate.verification"])
  func securityThatOnlyLibrdkafkaHasIsRefused(_ property: String) {
    var consumer = ConsumerConfiguration(bootstrapServers: "h:1", groupId: "g")
    consumer.other[property] = "x"
    #expect {
      try AdminConfiguration(like: consumer, for: "making topics")
    } throws: { "\($0)".hasPrefix("making topics takes the consumer's security") && "\($0)".contains(property) }
  }

  /// Topics for retries and dead letters are made, and a replay finds its partitions, with the consumer's login.
  @Test func topicsAreMadeAndReplayedWithALogin() async throws {
    var demands = SecuredBroker.Demands()
    demands.login = ("SCRAM-SHA-256", "u", "p")
    let broker = try await SecuredBroker(demands)
    let security = Security.saslPlaintext(.scramSHA256(username: "u", password: "p"))
    try await broker.admin(security).createTopic("t", partitions: 2)
    var producing = ProducerConfiguration(bootstrapServers: broker.bootstrapServers)
    producing.security = security
    let producer = try Producer(producing)
    _ = try await producer.send(ProducerRecord(topic: "t", partition: 1, value: "x"))
    var configuration = ConsumerConfiguration(bootstrapServers: broker.bootstrapServers, groupId: "g")
    configuration.security = security
    configuration.autoOffsetReset = .earliest
    var settings = ProcessingSettings()
    settings.createsTopics = true
    let journal = Journal()
    settings.onEvent = journal.note
    let processor = RecordProcessor(
      configuration, topics: ["t"], errorHandler: ErrorHandler(backOff: .none), settings: settings
    ) { _ in throw ServiceAway(number: 0) }
    try await running(processor) { try await until { journal.kinds == ["t.DLT-1"] } }
    #expect(try await broker.admin(security).describeTopic("t.DLT").partitions.count == 2)
    configuration.groupId = "replay"
    let replay = try await DeadLetters.replay("t.DLT", configuration, by: producer)
    #expect(replay.replayedCount == 1)
    try await producer.close()
  }
}
