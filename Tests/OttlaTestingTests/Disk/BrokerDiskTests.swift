import OttlaTesting
import Primitives
import Testing

extension WithBrokers {
  @Suite struct BrokerDiskTests {
    @Test(arguments: [BrokerStorage.memory, .temporaryFolder], [Set([DiskOperation.writes]), [.syncs]])
    func aFailingDiskIsAnsweredWithAStorageError(storage: BrokerStorage, operations: Set<DiskOperation>) async throws {
      let broker = try await EmbeddedBroker.start(storage: storage)
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders")
      #expect(try client.produceOnce("kept", to: "orders") == .none)
      #expect(broker.haltReason == nil)
      broker.disk.fail(operations)
      #expect(try client.produceOnce("lost", to: "orders") == .kafkaStorageError)
      #expect(try client.produceOnce("lost", to: "orders") == .kafkaStorageError, "it stays, and says so")
      #expect(broker.haltReason?.contains("failed") == true)
      broker.disk.heal()
      try await broker.restart()
      #expect(broker.haltReason == nil)
      #expect(try client.produceOnce("kept too", to: "orders") == .none)
      let values = try client.consume("orders")
      #expect(values.first == "kept" && values.last == "kept too")
      await broker.stop()
    }

    @Test func aDiskThatFailsAtTheStartIsSaid() async throws {
      let broker = try await EmbeddedBroker.start()
      await broker.kill()
      broker.disk.fail()
      await #expect {
        try await broker.restart()
      } throws: { "\($0)".contains("did not start") }
      #expect(!broker.isRunning)
      broker.disk.heal()
      try await broker.restart()
      #expect(broker.isRunning)
      await broker.stop()
    }

    @Test(arguments: [BrokerStorage.memory, .temporaryFolder])
    func aFullDiskTakesNothingUntilThereIsRoom(storage: BrokerStorage) async throws {
      let broker = try await EmbeddedBroker.start(storage: storage)
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders")
      #expect(try client.produceOnce("before", to: "orders") == .none)
      broker.disk.fill()
      #expect(try client.produceOnce("during", to: "orders") == .kafkaStorageError)
      await broker.clock.advance(by: .seconds(10))
      #expect(try client.produceOnce("during", to: "orders") == .kafkaStorageError)
      #expect(try client.consume("orders") == ["before"])
      broker.disk.heal()
      await broker.clock.advance(by: .seconds(10))
      #expect(try client.produceOnce("after", to: "orders") == .none)
      #expect(try client.consume("orders") == ["before", "after"])
      #expect(broker.haltReason == nil)
      await broker.stop()
    }
  }
}
