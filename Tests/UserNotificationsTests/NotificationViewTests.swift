import OttlaJSON
import OttlaTesting
import TestServers
import Testing
import UserNotifications

@testable import OttlaClient
@testable import notification_consumer

@Suite struct NotificationViewTests {
  private static let topic = "notifications"
  private let here = TopicPartition(Self.topic, 0)
  private let an = User(id: 1, name: "An")
  private let binh = User(id: 2, name: "Bình")

  /// A server of the demo without its HTTP: a view, and the member of a group that fills it.
  private struct Server {
    let view: NotificationView
    let consumer: Consumer
  }

  private func server(_ broker: EmbeddedBroker) async throws -> Server {
    let view = NotificationView(keptMax: 10, users: .demo)
    var configuration = ConsumerConfiguration(bootstrapServers: broker.bootstrapServers, groupId: "g")
    configuration.partitionAssignmentStrategy = [.cooperativeSticky]
    configuration.enableAutoOffsetStore = false
    configuration.fetchMaxWaitMs = 20
    configuration.onRebalance = { await view.rebalance($0) }
    let server = Server(view: view, consumer: try Consumer(configuration))
    try await server.consumer.subscribe(to: [Self.topic])
    return server
  }

  private func stage(partitions: Int32 = 1) async throws -> EmbeddedBroker {
    let broker = try await EmbeddedBroker.start()
    try await AdminClient(AdminConfiguration(bootstrapServers: broker.bootstrapServers))
      .createTopic(Self.topic, partitions: partitions)
    return broker
  }

  private func send(_ messages: String..., to user: User, _ broker: EmbeddedBroker) async throws {
    for message in messages {
      let notification = try Notification(from: an, to: user, message: message)
      try await send(
        ProducerRecord(
          topic: Self.topic, partition: 0, key: Array(notification.key.utf8),
          value: try JSONCodec<Notification>().serialize(notification, topic: Self.topic)), broker)
    }
  }

  private func send(_ record: ProducerRecord, _ broker: EmbeddedBroker) async throws {
    try await withProducer(ProducerConfiguration(bootstrapServers: broker.bootstrapServers)) { producer in
      _ = try await producer.send(record)
    }
  }

  /// The next records of a server; the view has not got them.
  private func records(_ count: Int, of server: Server) async throws -> [ConsumerRecord] {
    try await within(.seconds(20)) {
      var records: [ConsumerRecord] = []
      for try await record in server.consumer.records {
        records.append(record)
        if records.count == count { break }
      }
      return records
    }
  }

  private func until(_ condition: @escaping @Sendable () -> Bool) async throws {
    try await within(.seconds(20)) {
      while !condition() { try await Task.sleep(for: .milliseconds(10)) }
    }
  }

  /// Reads on until the view is complete.
  private func complete(_ server: Server) async throws {
    let reading = Task { for try await record in server.consumer.records { server.view.take(record) } }
    try await until { !server.view.holdings.isEmpty && server.view.holdings.allSatisfy(\.isComplete) }
    reading.cancel()
    _ = await reading.result
  }

  /// A find in few words.
  private func find(_ user: User, _ server: Server, in partition: Int32 = 0) -> String {
    switch server.view.find(user, in: partition) {
    case .complete(let mailbox): "complete \(mailbox.notifications.map(\.message))"
    case .incomplete(let position): "incomplete at \(position)"
    case .elsewhere(let mailbox): "elsewhere \(mailbox?.notifications.map(\.message) ?? ["-"])"
    }
  }

  private func end(_ server: Server, _ broker: EmbeddedBroker) async throws {
    try await server.consumer.close(within: .seconds(10))
    await broker.stop()
  }

  @Test func aViewIsCompleteWhenTheEndIsMet() async throws {
    let broker = try await stage()
    try await send("a", "b", to: binh, broker)
    let server = try await server(broker)
    for record in try await records(1, of: server) { server.view.take(record) }
    #expect(find(binh, server) == "incomplete at 1")
    for record in try await records(1, of: server) { server.view.take(record) }
    // There might be more: nobody has asked yet.
    #expect(find(binh, server) == "incomplete at 2")
    try await complete(server)
    #expect(find(binh, server) == #"complete ["a", "b"]"# && find(an, server) == "complete []")
    try await end(server, broker)
  }

  @Test func aPartitionOfAnotherServerIsElsewhere() async throws {
    let broker = try await stage()
    let server = try await server(broker)
    #expect(find(an, server) == #"elsewhere ["-"]"#)
    try await complete(server)
    #expect(find(an, server) == "complete []" && find(an, server, in: 1) == #"elsewhere ["-"]"#)
    // It goes, with what was in it.
    try await server.consumer.close(within: .seconds(10))
    #expect(find(an, server) == #"elsewhere ["-"]"# && server.view.holdings.isEmpty)
    await broker.stop()
  }

  @Test func whatIsNoNotificationIsPassedOver() async throws {
    let broker = try await stage()
    try await send("a", to: binh, broker)
    func strange(_ key: String?, _ value: String?) -> ProducerRecord {
      ProducerRecord(
        topic: Self.topic, partition: 0, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    }
    let json = #"{"from":{"id":1,"name":"An"},"to":{"id":2,"name":"Bình"},"message":"x"}"#
    let unknown = #"{"from":{"id":1,"name":"An"},"to":{"id":9,"name":"?"},"message":"x"}"#
    for record in [strange("2", "{"), strange("2", nil), strange("1", json), strange(nil, json), strange("9", unknown)]
    {
      try await send(record, broker)
    }
    try await send("b", to: binh, broker)
    let server = try await server(broker)
    try await complete(server)
    #expect(find(binh, server) == #"complete ["a", "b"]"#)
    let holding = try #require(server.view.holdings.first)
    #expect(holding.notifications == 2 && holding.passedOver == 5 && holding.position == 7 && holding.partition == 0)
    try await end(server, broker)
  }

  @Test func whatWasLostIsRememberedUntilTheGroupIsHeardOf() async throws {
    let broker = try await stage()
    try await send("a", to: binh, broker)
    let server = try await server(broker)
    try await complete(server)
    await server.view.rebalance(Rebalance(kind: .lost, partitions: [here], consumer: server.consumer))
    #expect(find(binh, server) == #"elsewhere ["a"]"# && server.view.holdings.isEmpty)
    await server.view.rebalance(Rebalance(kind: .assigned, partitions: [], consumer: server.consumer))
    #expect(find(binh, server) == #"elsewhere ["-"]"#)
    try await end(server, broker)
  }

  /// The group has committed what was read; the view is in memory, and begins at the oldest record.
  @Test func theNextServerReadsFromTheBeginning() async throws {
    let broker = try await stage()
    try await send("a", "b", to: binh, broker)
    let first = try await server(broker)
    try await complete(first)
    try await first.consumer.close(within: .seconds(10))
    let admin = try AdminClient(AdminConfiguration(bootstrapServers: broker.bootstrapServers))
    #expect(try await admin.committedOffsets(of: "g") == [here: 2])
    let second = try await server(broker)
    try await complete(second)
    #expect(find(binh, second) == #"complete ["a", "b"]"#)
    try await end(second, broker)
  }

  /// The partition went and came back while a record was at hand: it comes again, and is shown once.
  @Test func aRecordFromBeforeAnAssignmentIsNotTaken() async throws {
    let broker = try await stage()
    try await send("a", "b", to: binh, broker)
    let server = try await server(broker)
    let old = try await records(1, of: server)
    await server.view.rebalance(Rebalance(kind: .assigned, partitions: [here], consumer: server.consumer))
    for record in old { server.view.take(record) }
    #expect(find(binh, server) == "incomplete at 0")
    try await complete(server)
    #expect(find(binh, server) == #"complete ["a", "b"]"#)
    try await end(server, broker)
  }
}
