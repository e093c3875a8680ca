import OttlaClient
import OttlaTesting
import ServiceSteps
import TestServers
import Testing

@Suite struct RenewedProducerTests {
  private func record(_ value: String, topic: String = "t") -> ProducerRecord {
    ProducerRecord(topic: topic, key: "an", value: value)
  }

  private func offset(_ producer: RenewedProducer, _ value: String) async throws -> Int64? {
    let record = record(value)
    return try await within(.seconds(30)) { try await producer.send(record) }.offset
  }

  private func end(_ broker: EmbeddedBroker) async throws -> Int64? {
    let admin = try AdminClient(AdminConfiguration(bootstrapServers: broker.bootstrapServers))
    return try await admin.listOffsets([TopicPartition("t", 0)], at: .latest)[TopicPartition("t", 0)]
  }

  @Test func whatIsReportedIsInTheTopic() async throws {
    let broker = try await EmbeddedBroker.start()
    let producer = try RenewedProducer(bootstrap: broker.bootstrapServers, clientId: "c")
    for number: Int64 in 0..<3 { #expect(try await offset(producer, "\(number)") == number) }
    #expect(try await end(broker) == 3)
    await producer.close()
    await broker.stop()
  }

  /// The caller learns of it, as the record is his to send again; and the next record has a producer that works.
  @Test func anotherProducerTakesThePlaceOfOneThatCanDoNothingMore() async throws {
    let broker = try await EmbeddedBroker.start()
    let producer = try RenewedProducer(bootstrap: broker.bootstrapServers, clientId: "c")
    #expect(try await offset(producer, "a") == 0)
    await producer.close()
    let error = await #expect(throws: ProducerError.self) { try await producer.send(record("b")) }
    #expect(error?.isFatal == true)
    #expect(try await offset(producer, "b") == 1)
    #expect(try await end(broker) == 2)
    await producer.close()
    await broker.stop()
  }

  @Test func aRecordThatIsRefusedIsNotInTheWayOfOthers() async throws {
    let broker = try await EmbeddedBroker.start()
    let producer = try RenewedProducer(bootstrap: broker.bootstrapServers, clientId: "c")
    let large = String(repeating: "x", count: 2 << 20)
    let error = await #expect(throws: ProducerError.self) { try await producer.send(record(large)) }
    #expect(error?.isFatal == false)
    let early = ProducerRecord(topic: "t", key: "an", value: "b", timestamp: -1)
    let another = await #expect(throws: ProducerError.self) { try await producer.send(early) }
    #expect(another?.isFatal == false)
    #expect(try await offset(producer, "a") == 0)
    await producer.close()
    await broker.stop()
  }

  @Test func itNeedsABroker() {
    #expect(throws: ClientError.self) { try RenewedProducer(bootstrap: "", clientId: "c") }
  }
}
