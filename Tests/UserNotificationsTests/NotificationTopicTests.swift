import OttlaClient
import OttlaTesting
import Testing
import UserNotifications

@Suite struct NotificationTopicTests {
  private func topic(_ broker: EmbeddedBroker, partitions: Int32 = 3) throws -> NotificationTopic {
    try NotificationTopic("notifications", partitions: partitions, bootstrapServers: broker.bootstrapServers)
  }

  @Test func itIsMadeOnceAndLeftAsItIs() async throws {
    let broker = try await EmbeddedBroker.start()
    let (first, second) = (try topic(broker), try topic(broker))
    async let one = first.partitionCount()
    async let two = second.partitionCount()
    #expect(try await one == 3)
    #expect(try await two == 3)
    #expect(try await topic(broker, partitions: 6).partitionCount() == 3)
    await broker.stop()
  }

  @Test func aUsersRecordsGoWhereItIsSaid() async throws {
    let broker = try await EmbeddedBroker.start()
    let topic = try topic(broker)
    var configuration = ProducerConfiguration(bootstrapServers: broker.bootstrapServers)
    configuration.partitioner = NotificationTopic.partitioner
    for user in UserDirectory.demo.users {
      let said = try await topic.partition(of: user)
      try await withProducer(configuration) { producer in
        let report = try await producer.send(
          ProducerRecord(topic: "notifications", key: Notification.key(of: user), value: ""))
        #expect(report.partition == said)
      }
    }
    await broker.stop()
  }

  @Test func whatFailsIsTriedAnew() async throws {
    let broker = try await EmbeddedBroker.start()
    let topic = try topic(broker)
    await broker.kill()
    await #expect(throws: ClientError.self) { try await topic.partitionCount() }
    try await broker.restart()
    #expect(try await topic.partitionCount() == 3)
    // What is known needs no broker.
    await broker.stop()
    #expect(try await topic.partitionCount() == 3)
  }
}
