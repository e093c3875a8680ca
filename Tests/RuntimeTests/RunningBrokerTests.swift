import Broker
import CLinux
import Configuration
import Glibc
import Observability
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Runtime

/// A client with a socket and nothing else.
private final class RawClient {
  private let socket: Int32

  init?(port: UInt16) {
    socket = ottla_connect("127.0.0.1", port, 5000)
    if socket < 0 { return nil }
  }

  deinit { _ = ottla_close(socket) }

  func send(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = ottla_send(socket, $0.baseAddress, $0.count, 0) }
  }

  /// So many bytes, or fewer when the broker ends the connection.
  func receive(_ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count {
      var bytes = [UInt8](repeating: 0, count: count - all.count)
      let received = bytes.withUnsafeMutableBytes { ottla_receive(socket, $0.baseAddress, $0.count) }
      guard received > 0 else { break }
      all += bytes[..<received]
    }
    return all
  }

  /// One framed answer without its length; empty when there is none.
  func receiveFrame() -> [UInt8] {
    let length = receive(4)
    guard length.count == 4 else { return [] }
    return receive(length.reduce(0) { $0 << 8 | Int($1) })
  }

  /// ApiVersions, version 0; whether it was answered.
  func isServed() -> Bool {
    send([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 42, 0xff, 0xff])
    let frame = receiveFrame()
    // Correlation id, no error, and an API or two.
    return frame.count > 10 && Array(frame[..<6]) == [0, 0, 0, 42, 0, 0]
  }
}

@Suite(.serialized) struct RunningBrokerTests {
  private let log = LogLines()

  private func config(
    _ folder: TemporaryFolder, port: UInt16 = 0, shards: Int = 2, _ more: [(name: String, value: String)] = []
  ) throws -> BrokerConfig {
    let settings = [
      (name: "node.id", value: "1"), (name: "log.dirs", value: folder.path),
      (name: "listeners", value: "PLAINTEXT://127.0.0.1:\(port)"), (name: "ottla.shards", value: "\(shards)"),
    ]
    return try ConfigurationSources(settings: settings + more).load().config
  }

  private func start(_ config: BrokerConfig) throws -> RunningBroker {
    try RunningBroker(config: config, logger: Logger(sink: log))
  }

  private func connect(to broker: RunningBroker) throws -> RawClient {
    let port = try #require(broker.addresses.first?.port)
    return try #require(RawClient(port: port))
  }

  private func hasMarker(_ folder: TemporaryFolder) throws -> Bool {
    try CleanShutdownMarker.read(logDirectory: folder.path, fileSystem: LinuxFileSystem()) != nil
  }

  private func failure(_ config: BrokerConfig) -> String {
    do {
      let broker = try start(config)
      broker.stop()
      return ""
    } catch { return "\(error)" }
  }

  @Test func aBrokerStartsServesAndStops() throws {
    let folder = try TemporaryFolder()
    let config = try config(folder, shards: 3)
    for _ in 0..<3 {
      let broker = try start(config)
      let port = try #require(broker.addresses.first?.port)
      #expect(port != 0)
      #expect(try !hasMarker(folder))
      // Dealt out to all loops in turn.
      for _ in 0..<6 { #expect(try connect(to: broker).isServed()) }
      broker.stop()
      #expect(try hasMarker(folder))
      #expect(RawClient(port: port) == nil, "nobody listens any more")
    }
  }

  @Test func manyRequestsAreAnsweredOnOneConnection() throws {
    let broker = try start(try config(try TemporaryFolder()))
    defer { broker.stop() }
    let client = try connect(to: broker)
    for _ in 0..<200 { #expect(client.isServed()) }
    client.send((0..<100).flatMap { [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, UInt8($0), 0xff, 0xff] })
    for number in 0..<100 { #expect(client.receiveFrame().prefix(4) == [0, 0, 0, UInt8(number)]) }
  }

  @Test func aStopEndsTheConnections() throws {
    let broker = try start(try config(try TemporaryFolder()))
    let client = try connect(to: broker)
    #expect(client.isServed())
    broker.stop()
    #expect(client.receive(1).isEmpty)
  }

  @Test func aKilledBrokerEndsWithoutANoteAndLetsGoOfEverything() throws {
    let folder = try TemporaryFolder()
    let config = try config(folder, shards: 3)
    let broker = try start(config)
    let clients = try (0..<6).map { _ in try connect(to: broker) }
    for client in clients { #expect(client.isServed()) }
    broker.kill()
    for client in clients { #expect(client.receive(1).isEmpty) }
    #expect(try !hasMarker(folder))
    let next = try start(config)
    #expect(try connect(to: next).isServed())
    next.stop()
    #expect(try hasMarker(folder))
  }

  @Test func everyLoopIsLookedInto() throws {
    let broker = try start(try config(try TemporaryFolder(), shards: 3))
    let seen = Mutex<Set<Int>>([])
    broker.look { view in seen.withLock { _ = $0.insert(view.shard.index) } }
    for _ in 0..<1000 where seen.withLock({ $0.count }) < broker.loopCount { usleep(1000) }
    #expect(seen.withLock { $0 } == [0, 1, 2])
    broker.stop()
  }

  @Test func aClusterIsRefusedWithoutAWayToIt() throws {
    let folder = try TemporaryFolder()
    let refusal = failure(try config(folder, [(name: "zookeeper.connect", value: "127.0.0.1:2181/ottla")]))
    #expect(refusal.contains("zookeeper.connect is 127.0.0.1:2181/ottla") && refusal.contains("no ZooKeeper client"))
    #expect(failure(try config(folder)) == "", "nothing was left behind")
  }

  @Test func aFolderHasOneBroker() throws {
    let folder = try TemporaryFolder()
    let broker = try start(try config(folder))
    #expect(failure(try config(folder)).contains("in use by another broker"))
    #expect(try connect(to: broker).isServed())
    broker.stop()
    #expect(failure(try config(folder)).isEmpty)
  }

  @Test func aStartThatGetsOnlySomeOfItsFoldersLetsGoOfThem() throws {
    let taken = try TemporaryFolder()
    let free = try TemporaryFolder()
    let broker = try start(try config(taken))
    defer { broker.stop() }
    let both = try config(free, [(name: "log.dirs", value: "\(free.path),\(taken.path)")])
    #expect(failure(both).contains(taken.path))
    #expect(failure(try config(free)) == "")
  }

  /// The commonest of all failures must leave nothing behind: neither a lock, nor a start that checks every log.
  @Test func aPortThatIsTakenIsRefusedAndLeavesNothingBehind() throws {
    let other = try start(try config(try TemporaryFolder()))
    defer { other.stop() }
    let port = try #require(other.addresses.first?.port)
    let folder = try TemporaryFolder()
    try start(try config(folder)).stop()
    #expect(try hasMarker(folder))
    #expect(failure(try config(folder, port: port)).contains("is taken by another program"))
    #expect(try hasMarker(folder), "the logs are as clean as they were")
    #expect(failure(try config(folder)) == "")
  }

  @Test func connectionsAreLimitedInAll() throws {
    let broker = try start(try config(try TemporaryFolder(), [(name: "max.connections", value: "3")]))
    defer { broker.stop() }
    try checkLimit(of: 3, broker)
  }

  @Test func connectionsAreLimitedByAddress() throws {
    let broker = try start(try config(try TemporaryFolder(), [(name: "max.connections.per.ip", value: "2")]))
    defer { broker.stop() }
    try checkLimit(of: 2, broker)
  }

  private func checkLimit(of count: Int, _ broker: RunningBroker) throws {
    let port = try #require(broker.addresses.first?.port)
    var clients = (0..<count).compactMap { _ in RawClient(port: port) }
    for client in clients { #expect(client.isServed()) }
    #expect(RawClient(port: port)?.isServed() != true, "one too many")
    // The broker writes its log, and sees the end of a connection, in its own time.
    #expect(
      (0..<1000).contains { _ in RawClient(port: port)?.isServed() != true && log.contains("refused a connection") })
    clients.removeLast()
    #expect((0..<1000).contains { _ in RawClient(port: port)?.isServed() == true })
    for client in clients { #expect(client.isServed()) }
  }
}
