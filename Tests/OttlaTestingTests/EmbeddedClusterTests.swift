import Client
import OttlaTesting
import Testing

extension WithBrokers {
  @Suite struct EmbeddedClusterTests {
    private let lines = Lines()

    /// Another broker than `leader` leads, within a while.
    private func waitForLeader(_ cluster: EmbeddedCluster, otherThan leader: Int, of topic: String) async -> Int? {
      for _ in 0..<1500 {
        if let now = await cluster.leader(of: topic, partition: 0), now != leader { return now }
        try? await Task.sleep(for: .milliseconds(20))
      }
      return nil
    }

    @Test func aKilledLeaderLosesNothingThatWasAcknowledged() async throws {
      let clock = ContinuousClock()
      let began = clock.now
      let cluster = try await EmbeddedCluster.start(brokers: 3, log: lines.add)
      print("EmbeddedCluster.start(brokers: 3): \(clock.now - began)")
      let client = TestClient(cluster.bootstrapServers)
      try client.createTopic("orders", replicas: 3)
      var values: [String] = []
      for round in 0..<3 {
        let more = (0..<200).map { "\(round).\($0)" }
        #expect(try client.produce(more, to: "orders") == more.count)
        values += more
        let leader = try #require(await cluster.leader(of: "orders", partition: 0))
        await cluster.broker(leader).kill()
        let next = await waitForLeader(cluster, otherThan: leader, of: "orders")
        #expect(next != nil, "\(lines.all.suffix(20))")
        #expect(try client.consume("orders") == values)
        try await cluster.broker(leader).restart()
        #expect(await eventually { try client.isr(of: "orders") == [1, 2, 3] })
      }
      await cluster.stop()
    }

    @Test func aFollowerBehindACutLinkLeavesTheIsrAndComesBack() async throws {
      let cluster = try await EmbeddedCluster.start(brokers: 3, properties: ["min.insync.replicas": "2"])
      let client = TestClient(cluster.bootstrapServers)
      try client.createTopic("orders", replicas: 3)
      #expect(try client.produce(["a"], to: "orders") == 1)
      let leader = try #require(await cluster.leader(of: "orders", partition: 0))
      // Not the controller, which the leader has to reach: the first that was started.
      let follower = leader == 2 ? 3 : 2
      await cluster.cutLink(between: leader, and: follower)
      // Waits for the follower, or for the controller to take it out of the isr.
      let acknowledged = Lines()
      async let sent = Task.detached {
        let count = try client.produce(["b"], to: "orders")
        acknowledged.add("b")
        return count
      }.value
      try await Task.sleep(for: .milliseconds(300))
      #expect(acknowledged.all == [], "the follower had a way to it")
      #expect(
        await eventuallyAsync {
          await cluster.clock.advance(by: .seconds(31))
          return try client.isr(of: "orders") == [1, 2, 3].filter { $0 != Int32(follower) }
        })
      #expect(try await sent == 1)
      await cluster.heal()
      #expect(await eventually { try client.isr(of: "orders") == [1, 2, 3] })
      #expect(try client.consume("orders") == ["a", "b"])
      await cluster.stop()
    }

    @Test func anIsolatedLeaderIsReplacedWhenItsSessionIsOver() async throws {
      // Nobody waits for that long.
      let cluster = try await EmbeddedCluster.start(properties: ["zookeeper.session.timeout.ms": "60000"])
      let client = TestClient(cluster.bootstrapServers)
      try client.createTopic("orders", replicas: 3)
      #expect(try client.produce(["a"], to: "orders") == 1)
      let leader = try #require(await cluster.leader(of: "orders", partition: 0))
      await cluster.isolate(leader)
      await cluster.clock.advance(by: .seconds(61))
      #expect(await waitForLeader(cluster, otherThan: leader, of: "orders") != nil)
      #expect(try client.produce(["b"], to: "orders") == 1)
      await cluster.heal()
      #expect(await eventually { try client.isr(of: "orders") == [1, 2, 3] })
      #expect(try client.consume("orders") == ["a", "b"])
      await cluster.stop()
    }

    @Test func aBrokerWhoseDiskFailsEndsAndOthersLead() async throws {
      let cluster = try await EmbeddedCluster.start(brokers: 3)
      let client = TestClient(cluster.bootstrapServers)
      try client.createTopic("orders", replicas: 3)
      #expect(try client.produce(["a"], to: "orders") == 1)
      let leader = try #require(await cluster.leader(of: "orders", partition: 0))
      cluster.broker(leader).disk.fail()
      #expect(try client.produce(["b"], to: "orders") == 1)
      #expect(await waitForLeader(cluster, otherThan: leader, of: "orders") != nil)
      #expect(cluster.broker(leader).haltReason != nil)
      #expect(await eventually { !cluster.broker(leader).isRunning })
      cluster.broker(leader).disk.heal()
      try await cluster.broker(leader).restart()
      #expect(await eventually { try client.isr(of: "orders") == [1, 2, 3] })
      #expect(try client.consume("orders").contains("b"))
      await cluster.stop()
    }

    @Test func weeksPassAndNobodyLosesItsPlace() async throws {
      let cluster = try await EmbeddedCluster.start(brokers: 3, log: lines.add)
      let client = TestClient(cluster.bootstrapServers)
      try client.createTopic("orders", replicas: 3)
      for round in 0..<3 {
        #expect(try client.produce(["\(round)"], to: "orders") == 1)
        await cluster.clock.advance(by: .days(8))
        #expect(await eventually { try client.offset(.earliest, of: "orders") == Int64(round + 1) })
        #expect(await eventually { try client.isr(of: "orders") == [1, 2, 3] })
      }
      #expect(!lines.all.contains { $0.contains("lost sight") }, "no broker's session ended")
      await cluster.stop()
    }
  }
}

/// Tries until it holds, for half a minute.
private func eventuallyAsync(_ condition: () async throws -> Bool) async -> Bool {
  for _ in 0..<300 {
    if (try? await condition()) == true { return true }
    try? await Task.sleep(for: .milliseconds(100))
  }
  return false
}
