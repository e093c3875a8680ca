import Broker
import Client
import KafkaProtocol
import Primitives
import Replication
import Runtime
import Storage
import Testing

@testable import OttlaTesting

extension WithBrokers {
  @Suite struct BrokerClockTests {
    @Test func sevenDaysOfRetentionTakeMilliseconds() async throws {
      let broker = try await EmbeddedBroker.start()
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders")
      try client.produce((0..<10).map { "\($0)" }, to: "orders")
      await broker.clock.advance(by: .days(7) - .minutes(1))
      #expect(try client.offset(.earliest, of: "orders") == 0, "seven days are not over")
      let clock = ContinuousClock()
      let began = clock.now
      await broker.clock.advance(by: .days(7))
      print("seven days took \(clock.now - began)")
      #expect(clock.now - began < .seconds(2))
      #expect(try client.offset(.earliest, of: "orders") == 10)
      #expect(try client.consume("orders") == [])
      #expect(broker.clock.ahead == .days(14) - .minutes(1))
      await broker.stop()
    }

    @Test func whatWasPutOffIsDoneWhenTheClockIsMovedAgain() async throws {
      let broker = try await EmbeddedBroker.start(storage: .temporaryFolder)
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders", configs: [(name: "retention.ms", value: "3600000")])
      try client.produce(["a"], to: "orders")
      await broker.clock.advance(by: .hours(2))
      #expect(try client.offset(.earliest, of: "orders") == 1)
      try client.produce(["b"], to: "orders")
      await broker.clock.advance(by: .hours(2))
      #expect(try client.offset(.earliest, of: "orders") == 2)
      await broker.stop()
    }

    /// Without a client between the move and the look, which would give the timers time.
    @Test func timersHaveFiredWhenTheMoveReturns() async throws {
      let broker = try await EmbeddedBroker.start()
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders", configs: [(name: "retention.ms", value: "60000")])
      for round in 1...20 {
        #expect(try client.produceOnce("a", to: "orders") == .none)
        await broker.clock.advance(by: .hours(1))
        let starts = await broker.look { view in
          var starts: [Int64] = []
          view.shard.forEachPartition { starts.append($0.log.logStartOffset.value) }
          return starts
        }
        #expect(starts == [[Int64(round)]])
      }
      await broker.stop()
    }

    @Test func aSilentMemberLosesItsSession() async throws {
      let broker = try await EmbeddedBroker.start()
      let client = TestClient(broker.bootstrapServers)
      let connection = try client.connection()
      // Makes the offsets topic, and waits until the coordinator is there.
      let found = await eventually {
        let question = FindCoordinatorRequest(key: "billing", keyType: 0)
        return try connection.ask(.findCoordinator, question, versionMax: 3, as: FindCoordinatorResponse.self)
          .errorCode == .none
      }
      #expect(found)
      let join = JoinGroupRequest(
        groupId: "billing", sessionTimeoutMs: 45_000, rebalanceTimeoutMs: 60_000, protocolType: "consumer",
        protocols: [.init(name: "range", metadata: [])])
      let joined = try connection.ask(.joinGroup, join, versionMax: 3, as: JoinGroupResponse.self)
      try #require(joined.errorCode == .none)
      let sync = SyncGroupRequest(groupId: "billing", generationId: joined.generationId, memberId: joined.memberId)
      #expect(try connection.ask(.syncGroup, sync, versionMax: 2, as: SyncGroupResponse.self).errorCode == .none)
      func heartbeat() throws -> ErrorCode {
        let request = HeartbeatRequest(
          groupId: "billing", generationId: joined.generationId, memberId: joined.memberId)
        return try connection.ask(.heartbeat, request, versionMax: 2, as: HeartbeatResponse.self).errorCode
      }
      await broker.clock.advance(by: .seconds(40))
      #expect(try heartbeat() == .none)
      await broker.clock.advance(by: .seconds(40))
      #expect(try heartbeat() == .none, "the last heartbeat counts")
      await broker.clock.advance(by: .seconds(46))
      #expect(try heartbeat() == .unknownMemberId)
      await broker.stop()
    }

    @Test(arguments: [1, 3]) func aMoveReturnsWhenAllShardsHaveDoneTheirPart(shards: Int) async throws {
      let broker = try await EmbeddedBroker.start(properties: ["ottla.shards": "\(shards)"])
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders", partitions: 6, configs: [(name: "retention.ms", value: "60000")])
      for round in 1...3 {
        for partition in 0..<6 { try client.produce(["a"], to: "orders", partition: Int32(partition)) }
        await broker.clock.advance(by: .hours(1))
        for partition in 0..<6 {
          #expect(try client.offset(.earliest, of: "orders", partition: Int32(partition)) == Int64(round))
        }
      }
      await broker.stop()
    }
  }
}
