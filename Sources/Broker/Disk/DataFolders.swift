internal import Configuration
package import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// How a folder of log.dirs is doing.
///
/// Can become: failed, for good, by the first write or sync that fails; full and roomy again, as space goes and comes.
package enum FolderHealth: Sendable, Equatable {
  case working(DiskSpace)
  case failed(IOError)
}

/// How much room a data folder has.
package enum DiskSpace: Sendable, Equatable {
  case enough
  /// Below `ottla.disk.free.bytes.low`: a warning.
  case low
  /// Below `ottla.disk.free.bytes.min`, or a write found no room: no produce requests.
  case full
}

/// The data folders, in the order of log.dirs: all shards know the same of them.
extension Shard {
  /// A log's operation failed. What that says of its folder is said to everybody.
  func noteFailure(_ error: LogError, of hosted: HostedPartition) {
    guard case .io(let cause) = error, !hosted.isGone else { return }
    compareLost(hosted.place)
    // A log that is fenced all the same could not be put back to what is known of it: room does not help that.
    if cause.isOutOfSpace, !hosted.partition.log.isFenced { return noteFull(hosted.folder) }
    // Where a file could not even be opened nothing is lost, unless it is the disk that refuses.
    guard !cause.isOutOfDescriptors, hosted.partition.log.isFenced || cause.isOfTheDevice else { return }
    failFolder(hosted.folder, cause)
  }

  /// A write or a sync of a data folder failed: nothing can be said of what the kernel still holds for it, so nothing in it
  /// is acknowledged, or asked of the disk, again. Its partitions go offline, on every shard.
  func failFolder(_ folder: Int, _ cause: IOError) {
    guard takeFailure(of: folder, cause) else { return }
    environment.logger.error(
      "\(config.logDirs[folder]) is given up until a restart, its partitions are offline: \(cause)")
    for shard in 0..<count where shard != index {
      environment.links.send(.folderFailed(folder, cause), to: shard)
    }
  }

  /// Takes note of a failed folder; false where that was known.
  @discardableResult
  func takeFailure(of folder: Int, _ cause: IOError) -> Bool {
    if case .failed = folders[folder] { return false }
    folders[folder] = .failed(cause)
    let lost = hostedPartitions.filter { $0.folder == folder }
    for hosted in lost {
      hosted.partition.log.fence()
      goOffline(hosted)
    }
    settleAppends()
    for hosted in lost {
      failWaits(hosted, Self.unwritten)
      failLeadershipWaits(hosted)
      wakeWatchers(hosted)
      dropCoordinator(of: hosted)
    }
    if index == Self.controllerShard {
      forgetRun()
      haltIfNothingIsLeft(folder, cause)
    }
    if let host = controllerHost { runDelayedCommands(host) }
    return true
  }

  /// Requests for the partition are refused from now on.
  private func goOffline(_ hosted: HostedPartition) {
    let partition = hosted.partition
    topicsByID[partition.topicID]?.places[Int(partition.topicPartition.partition)] = .offline
    lastTopic = nil
    compareLost(hosted.place)
  }

  /// The first folder holds the cluster's metadata: without it nothing can change, and a broker that cannot take a topic or
  /// a configuration is better started anew by whoever watches over it.
  private func haltIfNothingIsLeft(_ folder: Int, _ cause: IOError) {
    let isLeft = folders.indices.contains { isWorking($0) }
    if isLeft, folder != 0 { return }
    let reason = isLeft ? "it holds the cluster's metadata" : "no data folder is left"
    environment.halt("\(config.logDirs[folder]) failed (\(cause)), and \(reason)")
  }

  // MARK: room

  /// Looks how much room there is: every second while space comes and goes or there is little, else every five.
  func measureSpace() {
    timers.schedule(.space, at: now.advanced(byMilliseconds: isSpaceMoving ? 1000 : 5000))
    isSpaceMoving = false
    retryCheckpoints()
    for (number, folder) in config.logDirs.enumerated() {
      guard case .working = folders[number] else { continue }
      onDisk(number, .measureSpace(folder)) { [unowned self] result in
        guard case .space(let total, let usable) = result else { return }
        takeSpace(ofFolder: number, total: total, usable: usable)
      }
    }
  }

  private func takeSpace(ofFolder folder: Int, total: Int64, usable: Int64) {
    guard case .working(let before) = folders[folder] else { return }
    if abs(usable - (usableBytes[folder] ?? 0)) > 1 << 20 { isSpaceMoving = true }
    usableBytes[folder] = usable
    let low = config.ottlaDiskFreeBytesLow
    let min = config.ottlaDiskFreeBytesMin
    let limits = (
      low: low >= 0 ? low : Swift.min(total / 10, 10 << 30), min: min >= 0 ? min : Swift.min(total / 50, 1 << 30)
    )
    let space: DiskSpace = usable < limits.min ? .full : usable < limits.low ? .low : .enough
    if space != .enough { isSpaceMoving = true }
    guard space != before else { return }
    report(space, of: config.logDirs[folder], usable: usable, limits.min)
    for shard in 0..<count where shard != index { environment.links.send(.folderSpace(folder, space), to: shard) }
    takeSpace(folder, space)
  }

  private func report(_ space: DiskSpace, of folder: String, usable: Int64, _ min: Int64) {
    let free = "\(usable >> 20) MiB are free for \(folder)"
    switch space {
    case .enough: environment.logger.info("\(free): enough")
    case .low: environment.logger.warning("\(free): records are refused when it is less than \(min >> 20) MiB")
    case .full:
      environment.logger.error(
        "\(free): records are refused until there are \(min >> 20) MiB (ottla.disk.free.bytes.min); make room, delete records or topics"
      )
    }
  }

  /// How much room a folder has now, by the shard that measures.
  func takeSpace(_ folder: Int, _ space: DiskSpace) {
    guard case .working = folders[folder] else { return }
    folders[folder] = .working(space)
    guard space != .full else {
      isSpaceMoving = true
      return
    }
    for hosted in hostedPartitions where hosted.folder == folder && hosted.partition.log.stalled != nil {
      hosted.partition.log.resume()
      let number = hosted.partition.topicPartition.partition
      if groupHosts[number]?.hosted === hosted { groupHosts[number]?.isReadOnly = false }
    }
  }

  /// A write found no room: nothing more is taken until whoever measures says that there is.
  func noteFull(_ folder: Int) {
    guard case .working(let space) = folders[folder], space != .full else { return }
    environment.logger.error("\(config.logDirs[folder]) is full: records are refused until there is room")
    for shard in 0..<count where shard != index { environment.links.send(.folderSpace(folder, .full), to: shard) }
    takeSpace(folder, .full)
  }

  /// Whether a folder has not failed.
  func isWorking(_ folder: Int) -> Bool { if case .working = folders[folder] { true } else { false } }

  /// Whether a folder takes what producers send; coordinators and the cluster go on as long as there is any room.
  func hasRoom(_ folder: Int) -> Bool { folders[folder] != .working(.full) }
}

extension IOError {
  /// Whether the disk itself failed, and not what was asked of it: EIO, EROFS, ENXIO, ENODEV, ESTALE, EUCLEAN and the like.
  var isOfTheDevice: Bool { [5, 6, 19, 30, 116, 117, 121].contains(errno) }
}
