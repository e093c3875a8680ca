internal import Cluster
internal import Configuration
internal import Effects
internal import Groups
internal import Observability
package import Primitives
internal import Replication
package import Storage

/// What a change of the cluster means for this shard: partitions begin, end, or behave otherwise.
extension Shard {
  /// The shard of this broker that owns a partition. Partitions of a topic go round the shards.
  func owner(of topicID: UUID, _ partition: Int) -> Int {
    Int((topicID.high ^ topicID.low &+ UInt64(partition)) % UInt64(count))
  }

  /// - Parameter sequence: the number of the image, of those that this broker has spread among its shards.
  func apply(_ image: ClusterImage, _ delta: ClusterDelta, sequence: UInt64) {
    self.image = image
    heldLogs.begin(sequence)
    lastTopic = nil
    updatePeers(delta.brokersChanged)
    if delta.configsChanged.contains(where: { $0.type == .broker }) { reconfigureBroker() }
    if !opening.isOver { heldLogs.topicsAreGone(startMode.spokenTopics.filter { image.topic(named: $0) == nil }) }
    for topic in delta.topicsDeleted { drop(topic) }
    heldLogs.topicsAreGone(delta.topicsDeleted.map(\.name))
    if index == Self.controllerShard { forgetCheckpoints(ofTopics: delta.topicsDeleted.map(\.name)) }
    for id in delta.topicsCreated + delta.topicsChanged { if let topic = image.topic(id: id) { host(topic) } }
    if !delta.brokersChanged.isEmpty || roledBy != membership {
      roledBy = membership
      retakeRoles()
    }
    if !delta.topicsCreated.isEmpty || !delta.topicsChanged.isEmpty { sendFollowersHome() }
    for resource in delta.configsChanged where resource.type == .topic { reconfigureTopic(resource.name) }
    if !delta.topicsDeleted.isEmpty { forgetOffsets(of: delta.topicsDeleted.map(\.name)) }
    forgetLines()
    if !opening.isOver, startMode.wasCleanShutdown { haveToldRecoveryPoints() }
    opening.isOver = true
  }

  /// The dynamic configuration of this broker over what it was started with.
  private func reconfigureBroker() {
    let own = image.configs(for: ConfigResource(type: .broker, name: String(brokerID.value)))
    let all = image.configs(for: ConfigResource(type: .broker, name: ""))
    let before = config
    config = startConfig.applying(dynamicBroker: own, dynamicDefault: all)
    guard config != before else { return }
    limitReplication()
    for name in image.topicNames { reconfigureTopic(name) }
    for host in groupHosts.values { host.coordinator.config = groupConfig }
    for load in groupLoads.values { load.coordinator.config = groupConfig }
  }

  private func reconfigureTopic(_ name: String) {
    guard let routed = topicsByName[name], let topic = image.topic(named: name) else { return }
    let config = config.topicConfig(overrides: topic.configs)
    routed.throttledLeaders = config.throttledLeaders
    for case .here(let hosted) in routed.places where hosted.partition.config != config {
      hosted.partition.reconfigure(config)
    }
  }

  /// Takes a topic in, or what is new of it.
  private func host(_ topic: TopicImage) {
    let known = topicsByID[topic.id]
    let config = config.topicConfig(overrides: topic.configs)
    let places = topic.partitions.enumerated().map { index, partition -> PartitionPlace in
      let owner = owner(of: topic.id, index)
      guard partition.replicas.contains(brokerID) else {
        if case .here(let hosted)? = known?.place(Int32(index)) { giveAway(hosted, of: topic) }
        return .elsewhere
      }
      guard owner == self.index else { return .shard(owner) }
      if case .here(let hosted)? = known?.place(Int32(index)) {
        takeRole(hosted, partition)
        return .here(hosted)
      }
      switch known?.place(Int32(index)) {
      case .opening?: return .opening
      // What it held is in a folder that failed, or in files that cannot be read: nothing new may take its place. What passes
      // is tried again by `reopenTimerFired`.
      case .offline?: return .offline
      case .here?, .shard?, .elsewhere?, nil: break
      }
      // A start has nobody to serve yet.
      guard opening.isOver else { return open(topic, Int32(index), partition, config) }
      logsToOpen.add(Reopening.Place(topicID: topic.id, partition: Int32(index)))
      return .opening
    }
    let routed = RoutedTopic(
      name: topic.name, id: topic.id, places: places, throttledLeaders: config.throttledLeaders)
    topicsByName[topic.name] = routed
    topicsByID[topic.id] = routed
    for index in places.indices { compareLost(Reopening.Place(topicID: topic.id, partition: Int32(index))) }
  }

  func open(
    _ topic: TopicImage, _ index: Int32, _ image: PartitionImage, _ config: TopicConfig
  ) -> PartitionPlace {
    do throws(IOError) {
      return try openLog(topic, index, image, config).map(PartitionPlace.here)
        ?? (heldLogs.isWaiting(Reopening.Place(topicID: topic.id, partition: index)) ? .opening : .offline)
    } catch {
      let topicPartition = TopicPartition(topic.name, index)
      let folder = folder(of: topicPartition)
      noteUnopened(topic, topicPartition, startConfig.logDirs[folder] + "/" + topicPartition.description, error)
      if error.isOutOfSpace { noteFull(folder) }
      return .offline
    }
  }

  /// Opens the log of a partition of this shard, making it where there is none; nil where its folder has failed, or it has to
  /// wait until the checkpoint files have forgotten another one of its name.
  func openLog(
    _ topic: TopicImage, _ index: Int32, _ image: PartitionImage, _ config: TopicConfig
  ) throws(IOError) -> HostedPartition? {
    let topicPartition = TopicPartition(topic.name, index)
    let folder = folder(of: topicPartition)
    if case .failed = folders[folder] { return nil }
    let place = Reopening.Place(topicID: topic.id, partition: index)
    guard !mustWait(topicPartition, isNew: false) else {
      heldLogs.hold(place)
      return nil
    }
    let directory = startConfig.logDirs[folder] + "/" + topicPartition.description
    var isNew = !environment.fileSystem.exists(directory)
    if let stray = isNew ? nil : try stray(in: directory, topicPartition, of: topic, folder) {
      isNew = true
      try setAside(directory, stray)
    }
    guard !mustWait(topicPartition, isNew: isNew) else {
      heldLogs.hold(place)
      return nil
    }
    let log: Log
    do throws(IOError) {
      log = try Log.open(
        directory: directory, topicPartition: topicPartition, topicID: topic.id, config: Partition.logConfig(config),
        environment: logEnvironment, recovery: startMode.recovery(of: topicPartition, in: folder, isNew: isNew),
        now: wallClock, logStartOffset: isNew ? nil : startMode.checkpoints[folder][.logStartOffset, topicPartition],
        firstDirtyOffset: isNew ? nil : startMode.checkpoints[folder][.cleanerOffset, topicPartition])
    } catch {
      // What there is of a new one is nobody's; with room again it begins anew.
      if isNew { try? environment.fileSystem.removeDirectory(directory) }
      throw error
    }
    noteOpened(log)
    let hosted = HostedPartition(
      Partition(
        topicPartition, topicID: topic.id, log: log, brokerID: brokerID, config: config,
        decompressedBytesMax: Int(startConfig.socketRequestMaxBytes),
        replicaLagTimeMaxMs: startConfig.replicaLagTimeMaxMs),
      folder: folder, noted: isNew ? nil : startMode.checkpoints[folder][.recoveryPoint, topicPartition])
    #if DEBUG
      hosted.partition.mutate(environment.mutation)
    #endif
    takeRole(hosted, image)
    if !isNew { compareWithRecoveryPoint(hosted) }
    noteFirstRecoveryPoint(hosted)
    noteDamaged(hosted)
    return hosted
  }

  /// What was on the disk once must still be there. The checkpoint may be what is wrong, so nothing follows from it but words.
  ///
  /// The checkpoint is put right before a client is let in: what is appended now must not be trusted by the next start for
  /// what the file says of records that are gone.
  private func compareWithRecoveryPoint(_ hosted: HostedPartition) {
    let log = hosted.partition.log
    let end = log.logEndOffset
    guard let point = startMode.checkpoints[hosted.folder][.recoveryPoint, log.topicPartition] else { return }
    if point > log.recoveryPoint { tell(.recoveryPoint, [CheckpointEntry(hosted, log.recoveryPoint)]) }
    guard point > end else { return }
    let name = OffsetCheckpoint.Name.recoveryPoint.rawValue
    environment.logger.error(
      "\(log.topicPartition): \(name) says that the log was on the disk up to offset \(point.value), and it ends at \(end.value): "
        + "the records between are missing, or the file is wrong. New records get those offsets")
  }

  /// What a log did by itself, in words for whoever runs the broker.
  static func report(_ event: LogEvent, to logger: Logger) {
    switch event {
    case .truncatedTail(let partition, let path, let byteCount, let reason):
      logger.warning("\(partition): cut \(byteCount) bytes off the end of \(path), which are no whole batch: \(reason)")
    case .damagedBatch(let partition, let path, let position, let offsets, let reason):
      logger.error(
        "\(partition): \(words(offsets)) at byte \(position) of \(path) are damaged and will not be served: \(reason)")
    case .missingOffsets(let partition, let path, let from, let to):
      logger.error("\(partition): offsets \(from.value) to \(to.value - 1) are missing; \(path) is shorter than it was")
    case .keptDamagedBytes(let partition, let path, let byteCount):
      logger.error("\(partition): \(byteCount) bytes that had to leave the log are kept in \(path)")
    case .completedSwap(let partition, let count):
      logger.info("\(partition): \(count) compacted segments took their places, which a stop had kept them from")
    case .removedSegments(let partition, let count, let first):
      logger.warning("\(partition): removed \(count) empty segments from offset \(first.value) on, behind a torn one")
    case .rebuiltIndexes(let partition, let path):
      logger.info("\(partition): made the indexes of \(path) anew")
    case .ignoredDamagedFile(let partition, let path, let reason):
      logger.warning("\(partition): \(path) is damaged and not used: \(reason)")
    case .rolled(let partition, let base): logger.debug("\(partition): a new segment begins at offset \(base.value)")
    case .fenced(let partition, let error):
      logger.error("\(partition): takes no more appends until a restart: \(error)")
    case .stalled(let partition, let error):
      logger.warning("\(partition): takes no appends until there is room on its disk: \(error)")
    }
  }

  private static func words(_ offsets: Range<Offset>) -> String {
    offsets.isEmpty
      ? "batches from offset \(offsets.lowerBound.value) on"
      : "offsets \(offsets.lowerBound.value) to \(offsets.upperBound.value - 1)"
  }

  /// The folder that holds a partition, or is to hold it, by its place in log.dirs. New partitions go to folders that work:
  /// what a failed one has of that name belonged to an older topic.
  private func folder(of partition: TopicPartition) -> Int {
    guard config.logDirs.count > 1 else { return 0 }
    let name = partition.description
    let holder = config.logDirs.indices.first { environment.fileSystem.exists(config.logDirs[$0] + "/" + name) }
    if let holder, isWorking(holder) || !opening.isOver { return holder }
    let working = folders.indices.filter { isWorking($0) }
    let spread = name.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
    return working.isEmpty ? 0 : working[Int(spread % UInt64(working.count))]
  }

  /// Lets a deleted topic go: fetches that wait on it learn so at once, its folders are removed.
  private func drop(_ topic: TopicImage) {
    guard let routed = topicsByID.removeValue(forKey: topic.id) else { return }
    if topicsByName[topic.name] === routed { topicsByName[topic.name] = nil }
    for case .here(let hosted) in routed.places { letGo(hosted, of: topic, Self.gone) }
    dropUnopened(topic, routed)
    scheduleDeletedFiles(afterMs: 0)
  }

  /// A partition has moved to other brokers: what is left of it here goes.
  private func giveAway(_ hosted: HostedPartition, of topic: TopicImage) {
    environment.logger.info("\(hosted.partition.topicPartition) is held by other brokers now, and removed here")
    letGo(hosted, of: topic, Self.notLeader)
    // What the checkpoints say of it is nothing to the replica that may come here again one day.
    heldLogs.isGone(hosted.partition.topicPartition)
    scheduleDeletedFiles(afterMs: 0)
  }

  private func letGo(_ hosted: HostedPartition, of topic: TopicImage, _ error: KafkaError) {
    stopFetching(hosted)
    wakeWatchers(hosted)
    dropCoordinator(of: hosted)
    // What of this turn was answered has been written before; nothing of the rest is worth a write now.
    dirtyPartitions.removeAll { $0 === hosted }
    hosted.isGone = true
    failWaits(hosted, error)
    failLeadershipWaits(hosted)
    cancelCleaning(of: hosted)
    let directory = hosted.partition.log.directory
    hosted.partition.log.abandon()
    do throws(IOError) {
      deletedFolders.append(
        try Log.markDeleted(directory, id: topic.id, fileSystem: environment.fileSystem))
    } catch {
      environment.logger.error("\(hosted.partition.topicPartition): removing \(directory) failed: \(error)")
    }
  }

  /// Whether the folders of log.dirs hold partitions.
  var logDirsHoldPartitions: Bool {
    config.logDirs.contains { directory in
      let names = (try? environment.fileSystem.list(directory)) ?? []
      return names.contains { LogFileName.topicPartition(ofFolder: $0) != nil }
    }
  }
}

/// How the logs were left by the run before this one. After a stop that was not clean the file systems of all folders have
/// been synced since.
package struct StartMode: Sendable {
  let wasCleanShutdown: Bool
  /// The id of this run of the process.
  package let incarnation: UUID
  /// What the checkpoint files of each folder of log.dirs say.
  let checkpoints: [FolderCheckpoints]
  /// Folders of deleted partitions that are still to be removed.
  let leftoverFolders: [String]
  /// The id of this boot of the machine; nil where nobody knows.
  let boot: String?
  /// The topics that the checkpoint files of any folder spoke of.
  let spokenTopics: Set<String>

  package init(
    wasCleanShutdown: Bool, incarnation: UUID, checkpoints: [FolderCheckpoints], leftoverFolders: [String] = [],
    boot: String? = nil
  ) {
    self.wasCleanShutdown = wasCleanShutdown
    self.incarnation = incarnation
    self.checkpoints = checkpoints
    self.leftoverFolders = leftoverFolders
    self.boot = boot
    spokenTopics = checkpoints.reduce(into: []) { $0.formUnion($1.topics) }
  }

  /// Whether the checkpoint files of any folder spoke of a partition.
  func speaks(of partition: TopicPartition) -> Bool { checkpoints.contains { $0.speaks(of: partition) } }

  /// How much of a log in the folder with this number is to be checked.
  func recovery(of partition: TopicPartition, in folder: Int, isNew: Bool) -> LogRecoveryMode {
    if wasCleanShutdown { return .clean }
    return .unclean(
      recoveryPoint: isNew ? .zero : checkpoints[folder].recoveryPoint(of: partition), isSynced: true)
  }
}
