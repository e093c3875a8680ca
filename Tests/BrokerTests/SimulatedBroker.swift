import Cluster
import Configuration
import Coordination
import Effects
import KafkaProtocol
import Observability
import Primitives
import Simulation
import Storage
import TestSupport
import Testing

@testable import Broker

/// Messages on their way between shards: each pair of shards keeps its order, and nothing more.
final class SimulatedLinks {
  /// By receiver, then by sender.
  var queues: [[[ShardMessage]]]
  init(count: Int) { queues = Array(repeating: Array(repeating: [], count: count), count: count) }
  var isEmpty: Bool { queues.allSatisfy { $0.allSatisfy(\.isEmpty) } }
}

/// One shard's end of the links.
final class SimulatedLinksEnd: ShardLinks {
  private let links: SimulatedLinks
  private let index: Int
  init(_ links: SimulatedLinks, index: Int) {
    self.links = links
    self.index = index
  }
  func send(_ message: ShardMessage, to shard: Int) { links.queues[shard][index].append(message) }
  func post() {}
}

/// The threads that wait for disks: jobs wait here until a test lets them happen, those of one lane in their order.
final class SimulatedDiskWorkers {
  struct Order {
    let shard: Int
    let job: DiskJob
    let token: DiskToken
  }
  /// By data folder and lane.
  private(set) var orders: [[Order]] = []
  private let laneCount = DiskLane.allCases.count
  /// What has been done.
  private(set) var finished: [DiskJob] = []
  /// Nothing is done while this is set: a disk that hangs.
  var isStalled = false
  /// Nothing of this lane is done while it is set.
  var stalledLane: DiskLane?

  var isEmpty: Bool { places.isEmpty }

  /// The queues from which something may be done now.
  private var places: [Int] {
    guard !isStalled else { return [] }
    return orders.indices.filter { !orders[$0].isEmpty && DiskLane.allCases[$0 % laneCount] != stalledLane }
  }

  func add(_ order: Order, directory: Int) {
    let lane = DiskLane.allCases.firstIndex(of: order.job.lane) ?? 0
    let place = directory * laneCount + lane
    while orders.count <= place { orders.append([]) }
    orders[place].append(order)
  }

  /// What was told to end.
  var cancelled: Set<DiskToken> = []

  private struct Pace: DiskPace {
    let mustStop: Bool
    func spend(_ byteCount: Int, bytesPerSecondMax: Double) {}
  }

  func pace(of order: Order) -> any DiskPace { Pace(mustStop: cancelled.contains(order.token)) }

  func removeAll() {
    cancelled.removeAll()
    orders.removeAll()
    finished.removeAll()
  }

  /// How many jobs of a lane wait, of all folders.
  func waitingCount(_ lane: DiskLane) -> Int {
    orders.reduce(0) { sum, orders in sum + orders.count { $0.job.lane == lane } }
  }

  /// Takes the next order of some queue.
  func next(_ choose: (Int) -> Int) -> Order? {
    let places = places
    guard !places.isEmpty else { return nil }
    let order = orders[places[choose(places.count)]].removeFirst()
    finished.append(order.job)
    return order
  }
}

/// One shard's end of it.
final class SimulatedDiskEnd: DiskWorkers {
  private let workers: SimulatedDiskWorkers
  private let index: Int
  init(_ workers: SimulatedDiskWorkers, index: Int) {
    self.workers = workers
    self.index = index
  }
  func submit(_ job: DiskJob, token: DiskToken, directory: Int) {
    workers.add(.init(shard: index, job: job, token: token), directory: directory)
  }
  func cancel(_ token: DiskToken, directory: Int) { workers.cancelled.insert(token) }
}

/// A whole broker in memory: shards, links, network, disk, clocks. Nothing happens but what a test does.
final class SimulatedBroker {
  /// A disk that loses nothing and can be told to fail. Not used where there is a `simulatedDisk`.
  let disk: MemoryFileSystem
  /// A disk that forgets what was not synced when the power goes.
  private(set) var simulatedDisk: SimulatedDisk?
  private var fileSystem: any FileSystem { simulatedDisk ?? disk }
  let clock: HandClock
  /// The way to other brokers; nil for a broker that is alone.
  let network: SimulatedBrokerNetwork?
  let random: SeededRandom
  let log = LogLines()
  let config: BrokerConfig
  let shardCount: Int
  private(set) var shards: [Shard] = []
  private(set) var links: SimulatedLinks
  private(set) var networks: [SimulatedNetwork] = []
  let diskWorkers = SimulatedDiskWorkers()
  /// Why the broker said that it cannot go on.
  private(set) var haltReason: String?
  private var nextSlot = 0
  private var bootCount = 1
  /// Whether it takes connections.
  private(set) var isReady = false

  static let directory = "/data"

  /// Starts a broker on an empty disk, or on what another left.
  init(
    shards shardCount: Int = 1, seed: UInt64 = 1, disk: MemoryFileSystem = MemoryFileSystem(),
    simulatedDisk: SimulatedDisk? = nil, settings: [(name: String, value: String)] = [],
    clock: HandClock = HandClock(), network: SimulatedBrokerNetwork? = nil
  ) throws {
    self.clock = clock
    self.network = network
    self.disk = disk
    self.simulatedDisk = simulatedDisk
    self.shardCount = shardCount
    random = SeededRandom(seed: seed)
    let defaults = [
      (name: "node.id", value: "1"), (name: "log.dirs", value: Self.directory),
      (name: "offsets.topic.num.partitions", value: "4"), (name: "offsets.topic.replication.factor", value: "1"),
      (name: "group.initial.rebalance.delay.ms", value: "0"), (name: "auto.create.topics.enable", value: "false"),
    ]
    config = try ConfigurationSources(settings: defaults + settings).load().config
    links = SimulatedLinks(count: shardCount)
    try start(wasClean: true)
  }

  /// The id of this boot of its machine.
  var boot: String { "boot \(bootCount)" }

  // MARK: life

  private func start(wasClean: Bool) throws {
    let lastEpoch = shards.first?.brokerEpoch ?? -1
    var checkpoints: [FolderCheckpoints] = []
    var leftovers: [String] = []
    for directory in config.logDirs {
      try fileSystem.createDirectory(directory)
      leftovers += try fileSystem.list(directory).filter { LogFileName.isDeletedFolder($0) }.map {
        directory + "/" + $0
      }
      checkpoints.append(try FolderCheckpoints(beginning: directory, fileSystem))
    }
    for directory in config.logDirs where !wasClean { try fileSystem.syncAll(holding: directory) }
    links = SimulatedLinks(count: shardCount)
    diskWorkers.removeAll()
    haltReason = nil
    networks = (0..<shardCount).map { index in
      let end = SimulatedNetwork { [unowned self] in makeConnectionID() }
      end.brokers = network.map { SimulatedBrokerNetworkEnd(network: $0, broker: config.nodeId, shard: index) }
      return end
    }
    let incarnation = UUID(random: random.next)
    shards = (0..<shardCount).map { index in
      Shard(
        index: index, count: shardCount, config: config,
        startMode: StartMode(
          wasCleanShutdown: wasClean, incarnation: incarnation, checkpoints: checkpoints, leftoverFolders: leftovers,
          boot: boot),
        environment: ShardEnvironment(
          time: clock, random: random, fileSystem: fileSystem, logger: Logger(sink: log, levelMin: .debug),
          transport: networks[index], links: SimulatedLinksEnd(links, index: index),
          disk: SimulatedDiskEnd(diskWorkers, index: index), halt: { [unowned self] in haltReason = haltReason ?? $0 }))
    }
    isReady = false
    let host = ControllerHost(
      coordination: try LocalCoordination(
        fileSystem: fileSystem, directory: config.logDirs[0] + "/cluster-metadata"),
      controller: Controller(config: config, randomSeed: random.next()), clusterID: "MkU3OEVBNTcwNTJENDM2Qg",
      identify: { _, _ in .success(UUID(high: 1, low: 1)) })
    let presence = BrokerPresence(
      id: config.nodeId, rack: nil, endpoints: [BrokerEndpoint(name: "PLAINTEXT", host: "localhost", port: 9092)],
      incarnation: incarnation, dataID: UUID(high: 1, low: 1),
      lastRun: wasClean ? .stopped(brokerEpoch: lastEpoch) : .lost)
    shards[0].host(host, presence: presence) { [unowned self] result in
      if case .success = result { isReady = true }
    }
    settle()
    try #require(isReady, "the broker did not start: \(log.all)")
  }

  private func checkpoint(_ name: OffsetCheckpoint.Name, _ directory: String) -> OffsetCheckpoint {
    OffsetCheckpoint(name, logDirectory: directory, fileSystem: fileSystem)
  }

  /// Stops in order and starts again on the same disk. The connections are gone. `meanwhile` is what somebody does to the
  /// files in between.
  func restart(_ meanwhile: () throws -> Void = {}) throws {
    for shard in shards { shard.beginStop() }
    settle()
    let isClean = shards.map { $0.stop() }.allSatisfy { $0 }
    for directory in config.logDirs where isClean {
      try fileSystem.syncAll(holding: directory)
      let ends = shards.flatMap(\.closedEnds).filter { fileSystem.exists(directory + "/" + $0.key.description) }
      try checkpoint(.recoveryPoint, directory)
        .write(Dictionary(uniqueKeysWithValues: ends.map { ($0.key, $0.value) }))
    }
    try meanwhile()
    try start(wasClean: isClean)
  }

  /// Loses the process, as it is, and starts another on the same disk.
  func crash() throws {
    loseConnections()
    try start(wasClean: false)
  }

  /// Loses the process and what the disk had not got yet, and starts another on what is left.
  func cutPower(data: UnsyncedFate, names: UnsyncedFate, seed: UInt64) throws {
    loseConnections(isMachineGone: true)
    bootCount += 1
    simulatedDisk = simulatedDisk?.afterPowerCut(data: data, names: names, seed: seed)
    try start(wasClean: false)
  }

  private func loseConnections(isMachineGone: Bool = false) {
    for network in networks {
      for client in network.clients.values { client.isClosed = true }
    }
    network?.dropConnections(of: config.nodeId, isMachineGone: isMachineGone)
  }

  // MARK: clients

  func makeConnectionID() -> ConnectionID {
    defer { nextSlot += 1 }
    return ConnectionID(slot: nextSlot, generation: UInt32(nextSlot))
  }

  func connect(to shard: Int = 0) -> SimulatedClient {
    let client = SimulatedClient(id: makeConnectionID(), shard: shard)
    networks[shard].clients[client.id] = client
    shards[shard].beginTurn()
    shards[shard].opened(
      client.id,
      PeerAddress(host: "10.0.0.1", port: 50_000, localHost: "127.0.0.1", localPort: 9092, listener: 0))
    return client
  }

  func disconnect(_ client: SimulatedClient) {
    shards[client.shard].beginTurn()
    shards[client.shard].closed(client.id)
    _ = shards[client.shard].endTurn()
  }

  /// Lets the network take `byteCount` more bytes of a client's answers, nil for all, and tells the broker.
  func drain(_ client: SimulatedClient, _ byteCount: Int? = nil) {
    guard client.drain(byteCount) else { return }
    shards[client.shard].beginTurn()
    shards[client.shard].writable(client.id)
    _ = shards[client.shard].endTurn()
  }

  // MARK: turns

  /// One turn of one shard: all that waits for it, or with `atMost` so many messages of each sender.
  func turn(_ index: Int, atMost messageCount: Int = .max) {
    let shard = shards[index]
    shard.beginTurn()
    for client in clients(of: index) where !client.isPaused && !client.outgoing.isEmpty {
      let bytes = client.outgoing
      client.outgoing = []
      bytes.withUnsafeBytes { shard.received(client.id, $0) }
    }
    deliverFromBrokers(index)
    for sender in 0..<shardCount {
      let messages = links.queues[index][sender].prefix(messageCount)
      links.queues[index][sender].removeFirst(messages.count)
      for message in messages { shard.deliver(message) }
    }
    _ = shard.endTurn()
  }

  private func deliverFromBrokers(_ index: Int) {
    let failed = networks[index].failedConnects
    networks[index].failedConnects = []
    for id in failed { shards[index].closed(id) }
    network?.deliver(to: self, index)
  }

  /// Turns until nothing is left to do but wait.
  func settle() {
    for _ in 0..<10_000 {
      var isBusy = false
      for index in 0..<shardCount {
        turn(index)
        shards[index].beginTurn()
        isBusy = shards[index].endTurn() || isBusy
      }
      isBusy = finishDiskJobs() || isBusy
      if !isBusy, links.isEmpty, !hasInput { return }
    }
    Issue.record("the broker never comes to rest")
  }

  /// Does what waits for the disk; says whether there was anything.
  func finishDiskJobs() -> Bool {
    var isBusy = false
    while let order = diskWorkers.next({ _ in 0 }) {
      isBusy = true
      finish(order)
    }
    return isBusy
  }

  /// Does the next job; false when there is none.
  func finishOneDiskJob() -> Bool {
    guard let order = diskWorkers.next({ _ in 0 }) else { return false }
    finish(order)
    return true
  }

  private func finish(_ order: SimulatedDiskWorkers.Order) {
    let shard = shards[order.shard]
    let result = order.job.run(fileSystem, diskWorkers.pace(of: order))
    shard.beginTurn()
    shard.diskFinished(order.token, result)
    _ = shard.endTurn()
  }

  /// The same in a random order: any shard, any number of messages, any number of bytes at a time.
  func settleRandomly() {
    for _ in 0..<100_000 {
      stepRandomly()
      if isAtRest { return }
    }
    Issue.record("the broker never comes to rest")
  }

  var isAtRest: Bool { links.isEmpty && !hasInput && !hasWork() && diskWorkers.isEmpty }

  func stepRandomly() {
    if random.chance(oneIn: 3), let order = diskWorkers.next(random.below) { finish(order) }
    let index = random.below(shardCount)
    let shard = shards[index]
    shard.beginTurn()
    for client in clients(of: index) where !client.isPaused && !client.outgoing.isEmpty && !random.chance(oneIn: 3) {
      let count = random.chance(oneIn: 2) ? client.outgoing.count : 1 + random.below(client.outgoing.count)
      let bytes = Array(client.outgoing[..<count])
      client.outgoing.removeFirst(count)
      bytes.withUnsafeBytes { shard.received(client.id, $0) }
    }
    if !random.chance(oneIn: 3) { deliverFromBrokers(index) }
    for sender in 0..<shardCount where !random.chance(oneIn: 3) {
      let messages = links.queues[index][sender].prefix(1 + random.below(4))
      links.queues[index][sender].removeFirst(messages.count)
      for message in messages { shard.deliver(message) }
    }
    for client in clients(of: index) where client.roomByteCount != nil && !random.chance(oneIn: 3) {
      if client.drain(1 + random.below(400)) { shard.writable(client.id) }
    }
    _ = shard.endTurn()
  }

  /// Moves the clocks, with a turn of each shard at each of its deadlines on the way.
  func advance(ms: Int64) {
    let end = clock.now().advanced(byMilliseconds: ms)
    while clock.now() < end {
      let next = min(shards.compactMap(\.nextDeadline).min() ?? end, end)
      clock.advance(ms: max(1, next.milliseconds(since: clock.now())))
      if next < end { settle() }
    }
    settle()
  }

  var hasInput: Bool {
    networks.indices.contains { index in
      networks[index].clients.values.contains { !$0.isPaused && !$0.outgoing.isEmpty }
        || !networks[index].failedConnects.isEmpty || network?.hasArrivals(config.nodeId, index) ?? false
    }
  }

  private func hasWork() -> Bool {
    var isBusy = false
    for shard in shards {
      shard.beginTurn()
      isBusy = shard.endTurn() || isBusy
    }
    return isBusy || networks.contains { $0.clients.values.contains { $0.roomByteCount != nil && $0.isFull } }
  }

  func clients(of shard: Int) -> [SimulatedClient] {
    networks[shard].clients.values.sorted { $0.id.value < $1.id.value }
  }
}
