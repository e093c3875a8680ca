import CLinux
import Cluster
import Configuration
import KafkaProtocol
import Observability
import Primitives
import Storage
import TestSupport
import Testing

@testable import Broker
@testable import Runtime

/// A shard on the test's own thread that asks another broker over real sockets, until all has an outcome.
private final class AskingShard {
  private let folder: TemporaryFolder
  private let mailbox = Mailbox()
  private let disks: DiskThreads
  private let resolver: Resolver
  let loop: EventLoop
  let limits = ConnectionLimits()
  let shard: Shard
  private var waitingCount = 0
  private(set) var outcomes: [String] = []

  init(host: String, port: Int32, settings: [(name: String, value: String)] = []) throws {
    folder = try TemporaryFolder()
    let own = [(name: "node.id", value: "1"), (name: "log.dirs", value: folder.path)]
    let config = try ConfigurationSources(settings: own + settings).load().config
    let logger = Logger(sink: LogLines())
    let fileSystem = LinuxFileSystem()
    disks = DiskThreads(folders: config.logDirs, fileSystem: fileSystem, flushThreads: 1, mailboxes: [mailbox])
    resolver = Resolver(mailboxes: [mailbox])
    loop = EventLoop(
      index: 0, mailboxes: [mailbox], disks: disks, resolver: resolver, limits: limits, logger: logger,
      surroundings: BrokerSurroundings(), listeners: [],
      connectionsMax: 0)
    shard = Shard(
      index: 0, count: 1, config: config,
      startMode: StartMode(
        wasCleanShutdown: true, incarnation: UUID(high: 1, low: 2),
        checkpoints: [try FolderCheckpoints(reading: folder.path, fileSystem)]),
      environment: ShardEnvironment(
        time: LinuxClock(), random: LinuxRandom(), fileSystem: fileSystem, logger: logger, transport: loop, links: loop,
        disk: loop, halt: { _ in }))
    var image = ClusterImage()
    let endpoint = KafkaProtocol.BrokerRecord.BrokerEndpoint(
      name: "PLAINTEXT", host: host, port: port, securityProtocol: 0)
    image.replay(.broker(BrokerRecord(brokerId: 2, brokerEpoch: 1, endpoints: [endpoint])), at: Offset(0))
    shard.image = image
  }

  func ask(timeoutMs: Int64 = 5000, lane: PeerLane = .control, then: @escaping () -> Void = {}) {
    waitingCount += 1
    shard.send(
      .describeCluster(DescribeClusterRequest()), version: 0, to: BrokerID(2), lane: lane, timeoutMs: timeoutMs
    ) { [unowned self] outcome in
      switch outcome {
      case .answer(let response, _): outcomes.append(response.apiKey.name)
      case .failed(let failure): outcomes.append("\(failure)")
      }
      then()
      waitingCount -= 1
      if waitingCount == 0 { mailbox.stop() }
    }
  }

  func run() {
    shard.beginTurn()
    loop.run(shard, graceMs: 1000, barrier: StopBarrier(count: 1))
    disks.stop()
    resolver.stop()
  }

  func stopAtOnce() { mailbox.stop() }

  /// Answers the question where the first connection's name leads, before the resolver does.
  func answerFirstName(_ addresses: [String]) {
    mailbox.post([.resolved(ConnectionID(slot: 0, generation: 0), addresses: addresses)])
  }

  var isEverySlotFree: Bool {
    loop.sockets.allSatisfy { if case .free = $0.stage { $0.descriptor < 0 } else { false } }
  }
}

@Suite(.serialized) struct EventLoopConnectingTests {
  private func broker(_ body: (Int32) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let settings = [
      (name: "node.id", value: "2"), (name: "log.dirs", value: folder.path),
      (name: "listeners", value: "PLAINTEXT://127.0.0.1:0"), (name: "ottla.shards", value: "2"),
    ]
    let broker = try RunningBroker(
      config: try ConfigurationSources(settings: settings).load().config, logger: Logger(sink: LogLines()))
    defer { broker.stop() }
    try body(Int32(try #require(broker.addresses.first?.port)))
  }

  /// The broker listens at 127.0.0.1 only; localhost leads to ::1 too on most machines.
  @Test(arguments: ["127.0.0.1", "localhost"])
  func aBrokerIsAskedOverRealSockets(host: String) throws {
    try broker { port in
      let asking = try AskingShard(host: host, port: port)
      for _ in 0..<100 { asking.ask() }
      asking.ask(lane: .replication) {
        #expect(asking.limits.enter("anybody", totalMax: 1, hostMax: 1) == nil, "connections of ours do not count")
      }
      asking.run()
      #expect(asking.outcomes.count == 101 && asking.outcomes.allSatisfy { $0 == "DescribeCluster" })
      #expect(asking.loop.sockets.count == 2 && asking.isEverySlotFree)
      #expect(asking.limits.enter("another", totalMax: 1, hostMax: 1) != nil, "nor does their end")
    }
  }

  @Test func theAddressesOfANameAreTriedOneAfterTheOther() throws {
    try broker { port in
      let asking = try AskingShard(host: "no-such-host.invalid", port: port)
      asking.ask()
      asking.answerFirstName(["127.0.0.2", "no address", "127.0.0.1"])
      asking.run()
      #expect(asking.outcomes == ["DescribeCluster"] && asking.isEverySlotFree)
    }
  }

  private func listen() throws -> (descriptor: Int32, port: Int32) {
    var port: UInt16 = 0
    let descriptor = ottla_listen("127.0.0.1", 0, 8, &port)
    try #require(descriptor >= 0)
    return (descriptor, Int32(port))
  }

  @Test(arguments: ["127.0.0.1", "localhost", "no-such-host.invalid", ""])
  func whereNobodyListensNobodyIsReached(host: String) throws {
    let (descriptor, port) = try listen()
    _ = ottla_close(descriptor)
    let asking = try AskingShard(host: host, port: port)
    asking.ask()
    asking.ask(lane: .replication)
    asking.run()
    #expect(asking.outcomes == ["unreachable", "unreachable"])
    #expect(asking.isEverySlotFree)
  }

  @Test(arguments: [Int32.min, -1, 0, 65_536, .max])
  func portsThatAreNone(port: Int32) throws {
    let asking = try AskingShard(host: "127.0.0.1", port: port)
    asking.ask()
    asking.run()
    #expect(asking.outcomes == ["unreachable"] && asking.isEverySlotFree)
  }

  @Test func aPeerThatNeverAnswers() throws {
    let (descriptor, port) = try listen()
    defer { _ = ottla_close(descriptor) }
    let asking = try AskingShard(host: "127.0.0.1", port: port)
    asking.ask(timeoutMs: 200)
    asking.ask()
    asking.run()
    #expect(asking.outcomes == ["timedOut", "disconnected(sent: true)"])
    #expect(asking.isEverySlotFree)
  }

  /// The kernel takes the connections of so many; the next one is not even answered.
  @Test func aPeerThatDoesNotEvenTakeTheConnection() throws {
    var port: UInt16 = 0
    let descriptor = ottla_listen("127.0.0.1", 0, 0, &port)
    defer { _ = ottla_close(descriptor) }
    let first = ottla_connect("127.0.0.1", port, 200)
    defer { if first >= 0 { _ = ottla_close(first) } }
    let asking = try AskingShard(
      host: "127.0.0.1", port: Int32(port), settings: [(name: "socket.connection.setup.timeout.ms", value: "200")])
    asking.ask()
    asking.run()
    #expect(asking.outcomes == ["unreachable"])
    #expect(asking.isEverySlotFree)
  }

  @Test func aPeerThatEndsTheConnection() throws {
    let (descriptor, port) = try listen()
    let asking = try AskingShard(host: "127.0.0.1", port: port)
    asking.ask()
    // The turn that connects. The other end takes the connection and ends it before the loop looks: one event for both.
    asking.shard.beginTurn()
    _ = asking.shard.endTurn()
    var connection = ottla_connection()
    let accepted = ottla_accept(descriptor, &connection)
    #expect(accepted >= 0)
    _ = ottla_close(accepted)
    _ = ottla_close(descriptor)
    asking.run()
    #expect(asking.outcomes == ["disconnected(sent: false)"])
    #expect(asking.isEverySlotFree)
  }

  @Test func aStopWhileANameIsLookedUp() throws {
    let asking = try AskingShard(host: "localhost", port: 1)
    asking.ask()
    asking.stopAtOnce()
    asking.run()
    #expect(asking.outcomes == ["unreachable"] && asking.isEverySlotFree)
  }
}
