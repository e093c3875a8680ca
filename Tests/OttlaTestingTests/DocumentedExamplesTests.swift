import Foundation
import OttlaTesting
import Testing

/// The examples of docs/sdk/testing.md: they are compiled and run here, and the page shows nothing else.
extension WithBrokers {
  @Suite struct DocumentedExamplesTests {
    // example: quick start
    @Test func anOrderIsStored() async throws {
      let broker = try await EmbeddedBroker.start()
      let shop = try Shop(bootstrapServers: broker.bootstrapServers)
      try shop.order("tea")
      #expect(try shop.orders() == ["tea"])
      await broker.stop()
    }
    // end

    // example: properties
    @Test func aBrokerWithPropertiesOfItsOwn() async throws {
      let broker = try await EmbeddedBroker.start(
        storage: .temporaryFolder, properties: ["num.partitions": "6", "message.max.bytes": "2000"],
        log: { line in print(line) })
      #expect(EmbeddedBroker.defaults["ottla.shards"] == "1")
      await broker.stop()
    }
    // end

    // example: time
    @Test func oldOrdersAreForgottenAfterAWeek() async throws {
      let broker = try await EmbeddedBroker.start()
      let shop = try Shop(bootstrapServers: broker.bootstrapServers)
      try shop.order("tea")
      await broker.clock.advance(by: .days(7))
      #expect(try shop.orders() == [])
      await broker.stop()
    }
    // end

    // example: kill
    @Test func ordersOutliveTheBroker() async throws {
      let broker = try await EmbeddedBroker.start()
      let shop = try Shop(bootstrapServers: broker.bootstrapServers)
      try shop.order("tea")
      await broker.kill()
      try await broker.restart()
      #expect(try shop.orders() == ["tea"])
      await broker.stop()
    }
    // end

    // example: network
    @Test func theShopWaitsForTheBroker() async throws {
      let broker = try await EmbeddedBroker.start()
      let shop = try Shop(bootstrapServers: broker.bootstrapServers)
      await broker.cutNetwork()
      let ordering = Task.detached { try shop.order("tea") }
      await broker.healNetwork()
      try await ordering.value
      #expect(try shop.orders() == ["tea"])
      await broker.stop()
    }
    // end

    // example: disk
    @Test func theShopLivesThroughAFullDisk() async throws {
      let broker = try await EmbeddedBroker.start()
      let shop = try Shop(bootstrapServers: broker.bootstrapServers)
      broker.disk.fill()
      let ordering = Task.detached { try shop.order("tea") }
      broker.disk.heal()
      await broker.clock.advance(by: .seconds(5))
      try await ordering.value
      #expect(try shop.orders() == ["tea"])
      await broker.stop()
    }
    // end

    // example: cluster
    @Test func ordersOutliveTheLeader() async throws {
      let cluster = try await EmbeddedCluster.start(brokers: 3)
      let shop = try Shop(bootstrapServers: cluster.bootstrapServers)
      try shop.order("tea")
      let leader = try #require(await cluster.leader(of: "orders", partition: 0))
      await cluster.broker(leader).kill()
      try shop.order("cake")
      #expect(try shop.orders() == ["tea", "cake"])
      await cluster.stop()
    }
    // end

    @Test func thePageShowsWhatIsRunHere() throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let page = try String(contentsOf: root.appending(path: "docs/sdk/testing.md"), encoding: .utf8)
      let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
      let shown = Self.blocks(page, from: "```swift", to: "```")
      let run = Self.blocks(source, from: "    // example: ", to: "    // end").map { block in
        block.map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : $0 }
      }
      #expect(shown.count == run.count && run.count == 7)
      for (shown, run) in zip(shown, run) { #expect(shown == run) }
    }

    /// The lines between a line that begins with `start` and the next that is `end`.
    private static func blocks(_ text: String, from start: String, to end: String) -> [[String]] {
      var blocks: [[String]] = []
      var block: [String]?
      for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
        if let lines = block {
          if line == end { blocks.append(lines) }
          block = line == end ? nil : lines + [line]
        } else if line.hasPrefix(start) {
          block = []
        }
      }
      return blocks
    }
  }
}

/// A service that is to be tested.
private struct Shop: Sendable {
  private let bootstrapServers: String

  init(bootstrapServers: String) throws {
    self.bootstrapServers = bootstrapServers
    try TestClient(bootstrapServers).createTopic("orders")
  }

  func order(_ what: String) throws { try TestClient(bootstrapServers).produce([what], to: "orders") }
  func orders() throws -> [String] { try TestClient(bootstrapServers).consume("orders") }
}
