internal import Broker
internal import CLinux
internal import Cluster
package import Configuration
internal import Coordination
internal import Effects
internal import Glibc
package import Observability
internal import Primitives
internal import Storage
internal import Synchronization

/// Why a broker did not start: a sentence for whoever started it.
package struct StartFailure: Error, CustomStringConvertible, Sendable {
  package let description: String
  init(_ description: String) { self.description = description }
}

/// A whole broker inside this process: shards on their threads, sockets, files. Starts ready, stops clean.
///
/// Touches no process globals: signals and exit belong to the program around it.
package final class RunningBroker {
  /// Where a listener of the configuration really listens: port 0 has become a free one.
  package struct Address: Sendable {
    package let name: String
    package let host: String
    package let port: UInt16
  }

  package let addresses: [Address]
  private let mailboxes: [Mailbox]
  private let threads = ThreadList()
  private let disks: DiskThreads
  private let resolver: Resolver
  private let config: BrokerConfig
  private let fileSystem = LinuxFileSystem()
  private let logger: Logger
  private var locks: [Int32]
  private let barrier: StopBarrier

  /// How long the stop waits for clients to take their last answers, in ms.
  private static let stopGraceMs: Int64 = 3000

  /// How long it may take to give leadership away and leave the cluster, in ms.
  /// How long leaving the cluster may take beside what controlled shutdown waits for.
  private static let leaveMsMax: Int64 = 8000

  /// Starts a broker; returns when it accepts connections.
  ///
  /// - Parameters:
  ///   - ensemble: makes the client for `zookeeper.connect`; needed where that is set.
  ///   - onHalt: called, on a thread of the broker's, when it cannot go on: its disks have failed. It is to be stopped then.
  ///     The text says why.
  package init(
    config: BrokerConfig, logger: Logger, ensemble: EnsembleMaker? = nil,
    onHalt: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(StartFailure) {
    if let connect = config.zookeeperConnect, ensemble == nil {
      throw StartFailure("zookeeper.connect is \(connect.text), but this program has no ZooKeeper client")
    }
    self.config = config
    self.logger = logger
    let locks = try Self.lock(config.logDirs, fileSystem)
    self.locks = locks
    var descriptors: [Int32] = []
    let unusedFolders = UnusedFolders(among: config.logDirs, fileSystem)
    let start: Start
    do throws(StartFailure) {
      (descriptors, addresses) = try Self.listen(config)
      // Last, for it takes the note away that all was closed in order: a start that fails before leaves it.
      start = try Self.prepare(config, unusedFolders, fileSystem, logger)
    } catch {
      for descriptor in locks + descriptors { _ = ottla_close(descriptor) }
      throw error
    }
    let listeners = descriptors
    let count = config.ottlaShards > 0 ? Int(config.ottlaShards) : max(1, Int(ottla_processor_count()))
    let shardCount = min(64, count)
    let mailboxes = (0..<shardCount).map { _ in Mailbox() }
    self.mailboxes = mailboxes

    let openFilesLimit = Int(ottla_open_files_limit())
    let openFiles = OpenFilesBudget(
      limit: openFilesLimit, segmentFilesMax: Int(config.ottlaOpenFilesMax),
      toBrokers: OpenFilesBudget.toBrokers(config, shards: shardCount, lanes: PeerLane.allCases.count))
    openFiles.warn(config, limit: openFilesLimit, logger)
    let limits = ConnectionLimits()
    let barrier = StopBarrier(count: shardCount)
    self.barrier = barrier
    let ready = StartSignal()
    let fileSystem = fileSystem
    let disks = DiskThreads(
      folders: config.logDirs, fileSystem: fileSystem, flushThreads: Int(config.ottlaFlushThreads),
      mailboxes: mailboxes)
    self.disks = disks
    let resolver = Resolver(mailboxes: mailboxes)
    self.resolver = resolver
    let presence = BrokerPresence(
      id: config.nodeId, rack: config.brokerRack,
      endpoints: AdvertisedEndpoints.endpoints(config, bound: addresses), incarnation: start.mode.incarnation,
      dataID: .zero, lastRun: start.lastRun)
    for index in 0..<shardCount {
      let body: @Sendable () -> Void = {
        let loop = EventLoop(
          index: index, mailboxes: mailboxes, disks: disks, resolver: resolver, limits: limits,
          logger: logger, listeners: index == Shard.controllerShard ? listeners : [],
          connectionsMax: openFiles.connections)
        let environment = ShardEnvironment(
          time: LinuxClock(), random: LinuxRandom(), fileSystem: fileSystem, logger: logger, transport: loop,
          links: loop, disk: loop, halt: onHalt)
        let shard = Shard(
          index: index, count: shardCount, config: config, startMode: start.mode, environment: environment,
          openFilesMax: openFiles.segmentFiles)
        if index == Shard.controllerShard {
          do throws(StartError) {
            let coordination: any CoordinationService
            if let connect = config.zookeeperConnect, let ensemble {
              let mailbox = mailboxes[index]
              coordination = start.coordination.ensemble(connect, ensemble) { mailbox.wakeForCoordination() }
            } else {
              coordination = try start.coordination.local()
            }
            let host = ControllerHost(
              coordination: coordination, controller: Controller(config: config, randomSeed: LinuxRandom().next()),
              clusterID: start.coordination.clusterID ?? UUID(random: LinuxRandom().next).description,
              identify: start.coordination.identify)
            shard.host(host, presence: presence) { result in
              ready.set(result.mapError { StartFailure("the cluster's metadata: \($0.message ?? $0.code.name)") })
            }
          } catch {
            ready.set(.failure(StartFailure("\(error)")))
          }
        }
        loop.run(shard, graceMs: Self.stopGraceMs, barrier: barrier)
      }
      threads.start("shard-\(index)", body)
    }
    switch ready.wait() {
    case .success:
      mailboxes[Shard.controllerShard].post([.listen])
    case .failure(let failure):
      halt()
      unusedFolders.forget()
      for lock in locks { _ = ottla_close(lock) }
      throw failure
    }
  }

  /// Stops: answers what is parked, closes connections and logs, and notes that all was closed in order.
  package func stop() {
    let left = LeaveSignal()
    mailboxes[Shard.controllerShard].post([.leave(left)])
    left.wait(msMax: Int32(clamping: Self.leaveMsMax + config.controlledShutdownMsMax))
    halt()
    for directory in config.logDirs where barrier.isClean {
      do throws(IOError) {
        // Before the notes that say what needs no checking.
        try fileSystem.syncAll(holding: directory)
        let ends = barrier.closedEnds.filter { fileSystem.exists(directory + "/" + $0.key.description) }
        try OffsetCheckpoint(.recoveryPoint, logDirectory: directory, fileSystem: fileSystem).write(ends)
        try CleanShutdownMarker(brokerEpoch: barrier.brokerEpoch).write(logDirectory: directory, fileSystem: fileSystem)
      } catch { logger.error("no clean-shutdown marker in \(directory): \(error)") }
    }
    for lock in locks { _ = ottla_close(lock) }
    locks.removeAll()
  }

  private func halt() {
    for mailbox in mailboxes { mailbox.stop() }
    threads.join()
    disks.stop()
    resolver.stop()
  }

  // MARK: before the shards

  private struct Start {
    let coordination: CoordinationStart
    let lastRun: LastRun
    let mode: StartMode
  }

  /// Keeps other processes out of the folders: two brokers on one folder would destroy it.
  private static func lock(_ directories: [String], _ fileSystem: LinuxFileSystem) throws(StartFailure) -> [Int32] {
    var locks: [Int32] = []
    do throws(StartFailure) {
      for directory in directories { locks.append(try lock(directory, fileSystem)) }
    } catch {
      for lock in locks { _ = ottla_close(lock) }
      throw error
    }
    return locks
  }

  private static func lock(_ directory: String, _ fileSystem: LinuxFileSystem) throws(StartFailure) -> Int32 {
    do throws(IOError) {
      let isNew = !fileSystem.isDirectory(directory)
      try fileSystem.createDirectory(directory)
      // With its name in the folder above: else a power cut takes it all.
      if isNew { try fileSystem.syncDirectory(directory + "/..") }
    } catch {
      throw StartFailure("the data folder \(directory) cannot be made: \(error)")
    }
    let lock = ottla_lock_file(directory + "/.lock")
    if lock == -EWOULDBLOCK {
      throw StartFailure(
        "the data folder \(directory) is in use by another broker; stop it or choose another --data-dir")
    }
    guard lock >= 0 else { throw StartFailure("\(directory)/.lock cannot be locked: errno \(-lock)") }
    return lock
  }

  private static func prepare(
    _ config: BrokerConfig, _ unusedFolders: UnusedFolders, _ fileSystem: LinuxFileSystem, _ logger: Logger
  ) throws(StartFailure) -> Start {
    do {
      if let reason = try DoubledFolders.refusal(among: config.logDirs, fileSystem) { throw StartFailure(reason) }
      let random = LinuxRandom()
      // The metadata knows whose it is: a meta.properties that is gone is made anew with that, one of another cluster refused.
      let metadata = try MetadataInspection.run(config.logDirs[0] + "/cluster-metadata", fileSystem: fileSystem)
      let clusterID = try IdentityFile.clusterID(
        fileSystem: fileSystem, directories: config.logDirs, nodeID: config.nodeId, clusterID: metadata.clusterID)
      let boot = BootID.current()
      let ending = try RunEnding(of: config.logDirs, boot: boot, fileSystem)
      if ending.lastRun == .foldersGone {
        logger.warning(
          "data folders are missing or have become others: what they held is to be had from other replicas only")
      }
      var checkpoints: [FolderCheckpoints] = []
      var leftovers: [String] = []
      for directory in config.logDirs {
        for name in try fileSystem.list(directory) where LogFileName.isDeletedFolder(name) {
          leftovers.append(directory + "/" + name)
        }
        try CleanShutdownMarker.remove(logDirectory: directory, fileSystem: fileSystem)
        checkpoints.append(try FolderCheckpoints(beginning: directory, fileSystem))
      }
      if !ending.isClean { try syncFolders(config, fileSystem, logger) }
      let coordination = CoordinationStart(
        config: config, fileSystem: fileSystem, logger: logger, unusedFolders: unusedFolders, clusterID: clusterID,
        localImage: metadata.image, holdsPartitions: try holdsPartitions(config, fileSystem))
      return Start(
        coordination: coordination, lastRun: ending.lastRun,
        mode: StartMode(
          wasCleanShutdown: ending.isClean, incarnation: UUID(random: random.next), checkpoints: checkpoints,
          leftoverFolders: leftovers, boot: boot))
    } catch {
      throw StartFailure("\(error)")
    }
  }

  private static func holdsPartitions(_ config: BrokerConfig, _ fileSystem: LinuxFileSystem) throws(IOError) -> Bool {
    for directory in config.logDirs where try RunEnding.holdsPartitions(directory, fileSystem) { return true }
    return false
  }

  /// Brings to the disk what the last run left in memory, of all logs at once: what is then read from the disk is what there
  /// is, and opening a log need not sync it.
  private static func syncFolders(
    _ config: BrokerConfig, _ fileSystem: LinuxFileSystem, _ logger: Logger
  ) throws(IOError) {
    let clock = LinuxClock()
    let before = clock.now()
    try RunEnding.bringToDisk(config.logDirs, fileSystem)
    let took = clock.now().milliseconds(since: before)
    if took >= 1000 { logger.info("bringing to the disk what the last run had written took \(took) ms") }
  }

  private static func listen(_ config: BrokerConfig) throws(StartFailure) -> ([Int32], [Address]) {
    var descriptors: [Int32] = []
    var addresses: [Address] = []
    for listener in config.listeners {
      var port: UInt16 = 0
      // Kafka's default of 50 overflows, and a client then waits a second, when the accepting shard is busy for a moment.
      let descriptor = ottla_listen(listener.host, listener.port, max(1024, config.socketListenBacklogSize), &port)
      guard descriptor >= 0 else {
        for open in descriptors { _ = ottla_close(open) }
        let place = "\(listener.host):\(listener.port)"
        if descriptor == -EADDRINUSE {
          throw StartFailure("\(place) is taken by another program; stop it or choose another --listen HOST:PORT")
        }
        throw StartFailure("cannot listen on \(place): errno \(-descriptor)")
      }
      descriptors.append(descriptor)
      addresses.append(Address(name: listener.name, host: listener.host, port: port))
    }
    return (descriptors, addresses)
  }
}

/// Where the start of a broker waits for its first shard.
private final class StartSignal: Sendable {
  private let result = Mutex<Result<Void, StartFailure>?>(nil)
  private let descriptor: Int32 = ottla_eventfd()

  deinit { _ = ottla_close(descriptor) }

  func set(_ outcome: Result<Void, StartFailure>) {
    result.withLock { if $0 == nil { $0 = outcome } }
    ottla_eventfd_signal(descriptor)
  }

  func wait() -> Result<Void, StartFailure> {
    while true {
      if let outcome = result.withLock({ $0 }) { return outcome }
      ottla_wait_readable(descriptor, -1)
    }
  }
}
