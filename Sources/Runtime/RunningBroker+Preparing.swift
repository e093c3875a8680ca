internal import Broker
internal import CLinux
internal import Cluster
internal import Configuration
internal import Coordination
internal import Effects
internal import Glibc
internal import Observability
internal import Primitives
internal import Storage

/// What a start does before there are shards.
extension RunningBroker {
  struct Start {
    let coordination: CoordinationStart
    let lastRun: LastRun
    let mode: StartMode
  }

  /// Keeps other processes out of the folders: two brokers on one folder would destroy it.
  static func lock(
    _ directories: [String], _ surroundings: BrokerSurroundings
  ) throws(StartFailure) -> [Int32] {
    var locks: [Int32] = []
    do throws(StartFailure) {
      for directory in directories {
        try make(directory, surroundings.fileSystem)
        if surroundings.hasKernelFolders { locks.append(try lock(directory)) }
      }
    } catch {
      for lock in locks { _ = ottla_close(lock) }
      throw error
    }
    return locks
  }

  private static func make(_ directory: String, _ fileSystem: any FileSystem) throws(StartFailure) {
    do throws(IOError) {
      let isNew = !fileSystem.isDirectory(directory)
      try fileSystem.createDirectory(directory)
      // With its name in the folder above: else a power cut takes it all.
      if isNew { try fileSystem.syncDirectory(directory + "/..") }
    } catch {
      throw StartFailure("the data folder \(directory) cannot be made: \(error)")
    }
  }

  private static func lock(_ directory: String) throws(StartFailure) -> Int32 {
    let lock = ottla_lock_file(directory + "/.lock")
    if lock == -EWOULDBLOCK {
      throw StartFailure(
        "the data folder \(directory) is in use by another broker; stop it or choose another --data-dir")
    }
    guard lock >= 0 else { throw StartFailure("\(directory)/.lock cannot be locked: errno \(-lock)") }
    return lock
  }

  static func prepare(
    _ config: BrokerConfig, _ unusedFolders: UnusedFolders, _ surroundings: BrokerSurroundings, _ logger: Logger
  ) throws(StartFailure) -> Start {
    let fileSystem = surroundings.fileSystem
    do {
      if let reason = try DoubledFolders.refusal(among: config.logDirs, fileSystem) { throw StartFailure(reason) }
      let random = surroundings.random
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
        config: config, surroundings: surroundings, logger: logger, unusedFolders: unusedFolders, clusterID: clusterID,
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

  private static func holdsPartitions(_ config: BrokerConfig, _ fileSystem: any FileSystem) throws(IOError) -> Bool {
    for directory in config.logDirs where try RunEnding.holdsPartitions(directory, fileSystem) { return true }
    return false
  }

  /// Brings to the disk what the last run left in memory, of all logs at once: what is then read from the disk is what there
  /// is, and opening a log need not sync it.
  private static func syncFolders(
    _ config: BrokerConfig, _ fileSystem: any FileSystem, _ logger: Logger
  ) throws(IOError) {
    let clock = LinuxClock()
    let before = clock.now()
    try RunEnding.bringToDisk(config.logDirs, fileSystem)
    let took = clock.now().milliseconds(since: before)
    if took >= 1000 { logger.info("bringing to the disk what the last run had written took \(took) ms") }
  }

  static func listen(_ config: BrokerConfig) throws(StartFailure) -> ([Int32], [Address]) {
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
