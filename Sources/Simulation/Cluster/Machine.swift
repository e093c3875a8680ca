internal import Broker
internal import Cluster
internal import Configuration
internal import Coordination
internal import Effects
internal import Observability
internal import Primitives
internal import Storage

/// One machine with one broker: a disk that stays, and a process that comes and goes.
///
/// Can become: running (`start`), listening (its cluster has taken it in), leaving (`stopInOrder`), down (`kill`,
/// `losePower`). Paused while it runs: it takes no turns, and everything waits.
final class Machine {
  let id: BrokerID
  unowned let simulator: ClusterSimulator
  let config: BrokerConfig
  let clock: NodeClock
  let random: SimulationRandom
  let lines = NodeLines()
  var disk: SimulatedDisk
  private(set) var lanes: [DiskQueue] = []
  /// Counts the runs of the process: what was meant for an earlier one comes to nothing.
  private(set) var life = 0
  private(set) var shards: [Shard] = []
  private var inputs: [[ShardInput]] = []
  /// When each shard takes its next turn.
  private var turnAt: [Instant] = []
  private var slotCounts: [Int] = []
  private var nextShardNumber = 0
  private(set) var isRunning = false
  private(set) var isListening = false
  var isPaused = false { didSet { if !isPaused, isRunning { resume() } } }
  /// Whether its machine has power: else nothing answers there, not even that nobody listens.
  var isMachineUp = true
  /// How the last run ended.
  var lastRun = LastRun.lost
  private(set) var client: SimulatedEnsembleClient?
  var isLeaving = false
  /// How long jobs take on its disk, in microseconds.
  var diskUs = 50...1500
  let shardCount: Int
  static let directory = "/data"

  init(_ id: BrokerID, _ simulator: ClusterSimulator, config: BrokerConfig, shardCount: Int) {
    self.id = id
    self.simulator = simulator
    self.config = config
    self.shardCount = shardCount
    random = simulator.random.split()
    clock = NodeClock(simulator)
    disk = SimulatedDisk(folders: [Self.directory], pageByteCount: simulator.knobs.pageBytes)
  }

  var host: String { "broker-\(id.value)" }

  func diskDelayUs(_ lane: DiskLane) -> Int { simulator.random.within(diskUs) }

  func makeConnectionID(_ shard: Int) -> ConnectionID {
    defer { slotCounts[shard] += 1 }
    return ConnectionID(slot: slotCounts[shard], generation: UInt32(truncatingIfNeeded: life))
  }

  func nextShard() -> Int {
    defer { nextShardNumber += 1 }
    return nextShardNumber % shardCount
  }

  // MARK: life

  func start() {
    precondition(!isRunning && isMachineUp, "broker \(id.value) runs already, or has no power")
    life += 1
    isRunning = true
    isLeaving = false
    nextShardNumber = 0
    lanes = DiskLane.allCases.map { DiskQueue(self, $0) }
    inputs = Array(repeating: [], count: shardCount)
    turnAt = Array(repeating: .distantFuture, count: shardCount)
    slotCounts = Array(repeating: 0, count: shardCount)
    let run: NodeStart
    do {
      run = try NodeStart(self)
    } catch {
      return startFailed("\(error)")
    }
    let life = life
    shards = (0..<shardCount).map { index in
      Shard(
        index: index, count: shardCount, config: config, startMode: run.mode, environment: environment(index, life))
    }
    let client = simulator.ensemble.client(sessionTimeoutMs: simulator.knobs.sessionTimeoutMs)
    self.client = client
    let coordination = run.coordination(client)
    #if DEBUG
      var controller = Controller(config: config, randomSeed: random.next())
      controller.mutation = simulator.mutation
    #else
      let controller = Controller(config: config, randomSeed: random.next())
    #endif
    let host = ControllerHost(
      coordination: coordination, controller: controller,
      clusterID: run.clusterID ?? UUID(random: random.next).description, identify: run.identify)
    shards[0].host(host, presence: run.presence) { [unowned self] result in
      switch result {
      case .success:
        isListening = true
        lastRun = .killed
      case .failure(let error):
        simulator.call("start failed") { [unowned self] in
          if isRunning, self.life == life { startFailed(error.message ?? error.code.name) }
        }
      }
    }
    simulator.trace.say("broker \(id.value) starts, its last run: \(run.presence.lastRun)")
    for shard in 0..<shardCount { wantTurn(shard, inUs: 1) }
  }

  private func environment(_ index: Int, _ life: Int) -> ShardEnvironment {
    let environment = ShardEnvironment(
      time: clock, random: random, fileSystem: disk,
      logger: Logger(sink: lines, levelMin: simulator.trace.isPrinted ? .debug : .warning),
      transport: NodeTransport(self, shard: index), links: NodeLinks(self), disk: NodeDisk(self, shard: index),
      halt: { [unowned self] reason in
        simulator.call("halt") { [unowned self] in if isRunning, self.life == life { halted(reason) } }
      })
    #if DEBUG
      var mutated = environment
      mutated.mutation = simulator.mutation
      return mutated
    #else
      return environment
    #endif
  }

  private func startFailed(_ why: String) {
    simulator.trace.say("broker \(id.value) did not start: \(why)")
    simulator.noteFailedStart(self, why)
    end(isMachineGone: false)
  }

  /// It said that it cannot go on: the program around it ends.
  private func halted(_ why: String) {
    simulator.trace.say("broker \(id.value) halts: \(why)")
    simulator.noteHalt(self, why)
    end(isMachineGone: false)
    lastRun = .lost
  }

  /// The process is gone, from one moment to the next.
  func kill() { end(isMachineGone: false) }

  private func end(isMachineGone: Bool) {
    client?.kill()
    client = nil
    simulator.network.drop(self, isMachineGone: isMachineGone)
    for lane in lanes { lane.removeAll() }
    shards = []
    inputs = []
    isRunning = false
    isListening = false
    isLeaving = false
    isPaused = false
    simulator.checkers.died(self)
  }

  /// The machine loses its power, and what was not on the disk.
  func losePower(data: UnsyncedFate, names: UnsyncedFate, seed: UInt64) {
    end(isMachineGone: true)
    isMachineUp = false
    disk = disk.afterPowerCut(data: data, names: names, seed: seed)
    lastRun = .lost
  }

  /// The disk is replaced by an empty one.
  func loseDisk() {
    end(isMachineGone: true)
    isMachineUp = false
    disk = SimulatedDisk(folders: [Self.directory], pageByteCount: simulator.knobs.pageBytes)
    lastRun = .lost
  }

  func stopInOrder() {
    guard isRunning, !isLeaving else { return }
    isLeaving = true
    let life = life
    let stop = { [unowned self] in
      simulator.call("stop") { [unowned self] in if isRunning, self.life == life, isLeaving { beginStop(life) } }
    }
    shards[0].beginTurn()
    shards[0].leaveCluster(then: stop)
    _ = shards[0].endTurn()
    wantTurn(0, inUs: 1)
    simulator.call("leaving took too long", inMs: 3000, stop)
  }

  private func beginStop(_ life: Int) {
    isLeaving = false
    isListening = false
    for shard in 0..<shardCount {
      shards[shard].beginTurn()
      shards[shard].beginStop()
      wantTurn(shard, inUs: 1)
    }
    simulator.call("stopped", inMs: 50) { [unowned self] in if isRunning, self.life == life { finishStop() } }
  }

  private func finishStop() {
    let epoch = shards[0].brokerEpoch
    let isClean = shards.map { $0.stop() }.allSatisfy { $0 }
    if isClean, writeMarker(epoch) { lastRun = .stopped(brokerEpoch: epoch) }
    simulator.trace.say("broker \(id.value) has stopped\(isClean ? "" : ", not in order")")
    end(isMachineGone: false)
  }

  private func writeMarker(_ epoch: Int64) -> Bool {
    do {
      try disk.syncAll(holding: Self.directory)
      let ends = shards.flatMap(\.closedEnds).filter { disk.exists(Self.directory + "/" + $0.key.description) }
      try OffsetCheckpoint(.recoveryPoint, logDirectory: Self.directory, fileSystem: disk)
        .write(Dictionary(uniqueKeysWithValues: ends.map { ($0.key, $0.value) }))
      try CleanShutdownMarker(brokerEpoch: epoch).write(logDirectory: Self.directory, fileSystem: disk)
      return true
    } catch {
      return false
    }
  }

  // MARK: turns

  func give(_ input: ShardInput, to shard: Int) {
    guard isRunning else { return }
    inputs[shard].append(input)
    wantTurn(shard, inUs: simulator.turnDelayUs())
  }

  /// The coordination service has something to tell.
  func wakeForCoordination() { give(.coordination, to: 0) }

  private func wantTurn(_ shard: Int, inUs us: Int) { wantTurn(shard, at: simulator.now.advanced(byMicroseconds: us)) }

  private func wantTurn(_ shard: Int, at time: Instant) {
    guard time < turnAt[shard] else { return }
    turnAt[shard] = time
    if !isPaused { simulator.schedule(.turn(self, shard: shard, life: life), at: time) }
  }

  private func resume() {
    for shard in 0..<shardCount {
      turnAt[shard] = .distantFuture
      wantTurn(shard, inUs: 1)
    }
  }

  func turn(_ shard: Int, life: Int) {
    guard isRunning, !isPaused, life == self.life, turnAt[shard] <= simulator.now else { return }
    turnAt[shard] = .distantFuture
    let taken = inputs[shard]
    inputs[shard] = []
    let running = shards[shard]
    running.beginTurn()
    for input in taken { take(input, running) }
    let isBusy = running.endTurn()
    guard isRunning, life == self.life else { return }
    for line in lines.take() {
      simulator.trace.say("[\(id.value)] \(line)")
      simulator.checkers.replicas.heard(line, from: self)
    }
    if isBusy { wantTurn(shard, inUs: 5) }
    if let next = running.nextDeadline { wantTurn(shard, at: max(next, simulator.now.advanced(byMicroseconds: 5))) }
    simulator.checkers.afterTurn(self, shard)
  }

  private func take(_ input: ShardInput, _ shard: Shard) {
    switch input {
    case .opened(let id, let address): shard.opened(id, address)
    case .connected(let id): shard.connected(id)
    case .bytes(let id, let bytes): bytes.withUnsafeBytes { shard.received(id, $0) }
    case .writable(let id): shard.writable(id)
    case .closed(let id): shard.closed(id)
    case .message(let message): shard.deliver(message)
    case .disk(let token, let result): shard.diskFinished(token, result)
    case .coordination: shard.pollCoordination()
    }
  }
}
