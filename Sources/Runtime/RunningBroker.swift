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
package final class RunningBroker: Sendable {
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
  private let surroundings: BrokerSurroundings
  private let logger: Logger
  /// Descriptors that keep the data folders.
  private let locks: Mutex<[Int32]>
  private let barrier: StopBarrier

  /// How long the stop waits for clients to take their last answers, in ms.
  private static let stopGraceMs: Int64 = 3000

  /// How long leaving the cluster may take beside what controlled shutdown waits for.
  private static let leaveMsMax: Int64 = 8000

  /// Starts a broker; returns when it accepts connections.
  ///
  /// - Parameters:
  ///   - surroundings: clocks, randomness, files and network; the machine's own where nothing is said.
  ///   - ensemble: makes the client for `zookeeper.connect`; needed where that is set.
  ///   - onHalt: called, on a thread of the broker's, when it cannot go on: its disks have failed. It is to be stopped then.
  ///     The text says why.
  package init(
    config: BrokerConfig, logger: Logger, surroundings: BrokerSurroundings = BrokerSurroundings(),
    ensemble: EnsembleMaker? = nil,
    onHalt: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(StartFailure) {
    if let connect = config.zookeeperConnect, ensemble == nil {
      throw StartFailure("zookeeper.connect is \(connect.text), but this program has no ZooKeeper client")
    }
    self.config = config
    self.logger = logger
    self.surroundings = surroundings
    let fileSystem = surroundings.fileSystem
    let locks = try Self.lock(config.logDirs, surroundings)
    self.locks = Mutex(locks)
    var descriptors: [Int32] = []
    let unusedFolders = UnusedFolders(among: config.logDirs, fileSystem)
    let start: Start
    do throws(StartFailure) {
      (descriptors, addresses) = try Self.listen(config)
      // Last, for it takes the note away that all was closed in order: a start that fails before leaves it.
      start = try Self.prepare(config, unusedFolders, surroundings, logger)
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
          logger: logger, surroundings: surroundings,
          listeners: index == Shard.controllerShard ? listeners : [],
          connectionsMax: openFiles.connections)
        let environment = ShardEnvironment(
          time: surroundings.time, random: surroundings.random, fileSystem: fileSystem, logger: logger, transport: loop,
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
              coordination: coordination,
              controller: Controller(config: config, randomSeed: surroundings.random.next()),
              clusterID: start.coordination.clusterID ?? UUID(random: surroundings.random.next).description,
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
      end(.stop)
      unusedFolders.forget()
      unlock()
      throw failure
    }
  }

  /// Stops: answers what is parked, closes connections and logs, and notes that all was closed in order.
  package func stop() {
    let left = LeaveSignal()
    mailboxes[Shard.controllerShard].post([.leave(left)])
    left.wait(msMax: Int32(clamping: Self.leaveMsMax + config.controlledShutdownMsMax))
    end(.stop)
    for directory in config.logDirs where barrier.isClean {
      do throws(IOError) {
        // Before the notes that say what needs no checking.
        try surroundings.fileSystem.syncAll(holding: directory)
        let ends = barrier.closedEnds.filter { surroundings.fileSystem.exists(directory + "/" + $0.key.description) }
        try OffsetCheckpoint(.recoveryPoint, logDirectory: directory, fileSystem: surroundings.fileSystem).write(ends)
        try CleanShutdownMarker(brokerEpoch: barrier.brokerEpoch).write(
          logDirectory: directory, fileSystem: surroundings.fileSystem)
      } catch { logger.error("no clean-shutdown marker in \(directory): \(error)") }
    }
    unlock()
  }

  /// Ends as a process that is killed does: nobody is told, connections are closed, what was not written is lost. What was
  /// written stays; the next start on the folders finds no note that all was closed in order.
  package func kill() {
    end(.kill)
    unlock()
  }

  /// Calls `body` on the thread of each event loop, with its shard, soon. Not to be used on a broker that was stopped.
  package func look(_ body: @escaping @Sendable (LoopView) -> Void) {
    for mailbox in mailboxes { mailbox.post([.look(body)]) }
  }

  /// How many event loops there are.
  package var loopCount: Int { mailboxes.count }

  /// Ends the connections that the network's switch cuts now, soon.
  package func applyNetwork() {
    for mailbox in mailboxes { mailbox.post([.network]) }
  }

  private func end(_ message: LoopMessage) {
    for mailbox in mailboxes { mailbox.post([message]) }
    threads.join()
    disks.stop()
    resolver.stop()
  }

  private func unlock() {
    let held = locks.withLock { locks in
      let held = locks
      locks = []
      return held
    }
    for lock in held { _ = ottla_close(lock) }
  }
}
