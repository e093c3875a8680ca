import Client
import Foundation
import OttlaTesting
import Primitives
import Testing

extension WithBrokers {
  @Suite struct EmbeddedBrokerTests {
    @Test func aBrokerStartsInAFewMilliseconds() async throws {
      let clock = ContinuousClock()
      var times: [Duration] = []
      for _ in 0..<20 {
        let began = clock.now
        let broker = try await EmbeddedBroker.start()
        times.append(clock.now - began)
        await broker.stop()
      }
      times.sort()
      let (median, longest) = (times[times.count / 2], times[times.count - 1])
      print("EmbeddedBroker.start(): \(median) as median of \(times.count), \(longest) at most")
      // What a busy machine makes of 20 ms.
      #expect(times[0] < .milliseconds(200))
    }

    @Test(arguments: [BrokerStorage.memory, .temporaryFolder])
    func whatIsSentIsReadWithAnyClient(storage: BrokerStorage) async throws {
      let broker = try await EmbeddedBroker.start(storage: storage)
      let client = TestClient(broker.bootstrapServers)
      // Large enough to leave the broker as parts of a file.
      let values = (0..<50).map { "\($0)" + String(repeating: "x", count: 30_000) }
      try client.createTopic("orders")
      #expect(try client.produce(values, to: "orders") == values.count)
      #expect(try client.consume("orders") == values)
      await broker.stop()
    }

    @Test(arguments: [BrokerStorage.memory, .temporaryFolder])
    func aKilledBrokerComesBackWithItsRecordsOnItsPort(storage: BrokerStorage) async throws {
      let broker = try await EmbeddedBroker.start(storage: storage)
      let port = broker.port
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders")
      var values: [String] = []
      for round in 0..<3 {
        let more = (0..<100).map { "\(round).\($0)" }
        #expect(try client.produce(more, to: "orders") == more.count)
        values += more
        await broker.kill()
        #expect(!broker.isRunning)
        #expect(throws: (any Error).self) { try client.connection() }
        try await broker.restart()
        #expect(broker.isRunning && broker.port == port)
        #expect(try client.consume("orders") == values)
      }
      try await broker.restart()
      #expect(try client.consume("orders") == values)
      await broker.stop()
    }

    @Test func aStoppedBrokerStaysStopped() async throws {
      let broker = try await EmbeddedBroker.start()
      await broker.stop()
      await broker.stop()
      await broker.kill()
      #expect(!broker.isRunning)
      await #expect(throws: EmbeddedBrokerError.stopped) { try await broker.restart() }
      await broker.clock.advance(by: .days(1))
    }

    @Test func propertiesAreKeptOrRefused() async throws {
      let broker = try await EmbeddedBroker.start(properties: [
        "num.partitions": "7", "auto.create.topics.enable": "true",
      ])
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("seven", partitions: -1)
      #expect(try client.offset(.earliest, of: "seven", partition: 6) == 0)
      await broker.stop()
      await #expect(
        throws: EmbeddedBrokerError.badProperties("listeners, node.id: the embedded broker sets that itself")
      ) {
        try await EmbeddedBroker.start(properties: ["listeners": "PLAINTEXT://0.0.0.0:9092", "node.id": "5"])
      }
      await #expect {
        try await EmbeddedBroker.start(properties: ["num.partitions": "none", "log.retention.ms": "x"])
      } throws: { "\($0)".contains("num.partitions=none: must be") && "\($0)".contains("log.retention.ms=x: must be") }
    }

    @Test func aCutNetworkBreaksConnectionsAndHeals() async throws {
      let broker = try await EmbeddedBroker.start()
      let client = TestClient(broker.bootstrapServers)
      try client.createTopic("orders")
      let connection = try client.connection()
      #expect(throws: Never.self) { try ask(connection) }
      await broker.cutNetwork()
      #expect(throws: (any Error).self) { try ask(connection) }
      #expect(throws: (any Error).self) { try client.connection() }
      await broker.healNetwork()
      #expect(throws: Never.self) { try ask(try client.connection()) }
      #expect(try client.produce(["a"], to: "orders") == 1)
      await broker.stop()
    }

    @Test func whatTheBrokerLogsGoesToTheTest() async throws {
      let lines = Lines()
      let broker = try await EmbeddedBroker.start(properties: ["no.such.property": "1"], log: lines.add)
      await broker.stop()
      #expect(lines.all.contains { $0.contains("warning: ") && $0.contains("no.such.property") })
    }

    /// In a process of its own, for other tests have threads and descriptors too.
    @Test func twentyBrokersLeaveNothingBehind() async {
      await #expect(processExitsWith: .success) {
        let warmUp = try await EmbeddedBroker.start()
        await warmUp.stop()
        let before = Belongings()
        var held: [AdminConnection] = []
        for round in 0..<20 {
          let broker = try await EmbeddedBroker.start(storage: round % 4 == 0 ? .temporaryFolder : .memory)
          let client = TestClient(broker.bootstrapServers)
          try client.createTopic("orders")
          #expect(try client.produceOnce("a", to: "orders") == .none)
          held.append(try client.connection())
          if round % 2 == 0 { await broker.kill() }
          await broker.stop()
        }
        held.removeAll()
        await before.expectSame()
      }
    }

    @Test func aDroppedBrokerLeavesNothingBehind() async {
      await #expect(processExitsWith: .success) {
        let warmUp = try await EmbeddedBroker.start()
        await warmUp.stop()
        let before = Belongings()
        for storage in [BrokerStorage.memory, .temporaryFolder] {
          let broker = try await EmbeddedBroker.start(storage: storage)
          await broker.clock.advance(by: .seconds(1))
          _ = consume broker
        }
        let cluster = try await EmbeddedCluster.start(brokers: 2)
        _ = consume cluster
        await before.expectSame()
      }
    }
  }
}

/// What a process has that a broker may leave behind.
private struct Belongings: Equatable, CustomStringConvertible {
  let threads: Int
  let descriptors: Int
  let folders: [String]

  init() {
    let files = FileManager.default
    func count(_ path: String) -> Int { (try? files.contentsOfDirectory(atPath: path).count) ?? -1 }
    threads = count("/proc/self/task")
    descriptors = count("/proc/self/fd")
    let all = (try? files.contentsOfDirectory(atPath: "/tmp")) ?? []
    folders = all.filter { $0.hasPrefix("ottla-testing-") }.sorted()
  }

  var description: String { "\(threads) threads, \(descriptors) descriptors, folders \(folders)" }

  /// A thread that was let go of ends in its own time.
  func expectSame() async {
    var now = Belongings()
    for _ in 0..<200 where now.threads > threads || now.descriptors > descriptors {
      try? await Task.sleep(for: .milliseconds(10))
      now = Belongings()
    }
    // The threads that run tasks come as they are needed, as many as there are processors.
    let processors = ProcessInfo.processInfo.processorCount
    precondition(
      now.threads <= threads + processors && now.descriptors <= descriptors
        && Set(now.folders).isSubset(of: Set(folders)), "before: \(self); now: \(now)")
  }
}
