package import Cluster
internal import Configuration
package import Coordination
package import Effects
internal import Observability
internal import Primitives
internal import Storage

/// How the last run of a broker ended, as its data folders tell the next one.
package struct RunEnding: Sendable {
  /// Whether every folder was closed in order: no log needs a check.
  package let isClean: Bool
  /// What the cluster is told.
  package let lastRun: LastRun

  /// Reads the notes of all folders of log.dirs, and changes nothing. `boot` is the id of this boot of the machine.
  ///
  /// One folder's notes are not enough: the disk that failed is the one that does not take any. So a failure takes the
  /// marks of this boot away from all folders, and each folder that holds records has to have one.
  package init(
    of directories: [String], boot: String?, _ fileSystem: any FileSystem
  ) throws(StartError) {
    let gone = try KnownFolders.gone(among: directories, fileSystem)
    do throws(IOError) {
      var markers: [CleanShutdownMarker?] = []
      var wasOnlyKilled = true
      for (number, directory) in directories.enumerated() {
        markers.append(try CleanShutdownMarker.read(logDirectory: directory, fileSystem: fileSystem))
        let isAsked = number == 0 ? true : try Self.holdsPartitions(directory, fileSystem)
        if isAsked, try !BootMark.isCurrent(boot, in: directory, fileSystem) { wasOnlyKilled = false }
      }
      let epochs = Set(markers.compactMap { $0?.brokerEpoch })
      isClean = !markers.contains(nil)
      if !gone.isEmpty {
        lastRun = .foldersGone
      } else if isClean {
        // Folders of different stops: one of them is an old copy.
        lastRun = .stopped(brokerEpoch: epochs.count == 1 ? epochs.first ?? -1 : -1)
      } else {
        lastRun = wasOnlyKilled ? .killed : .lost
      }
    } catch { throw .io(error) }
  }

  /// Brings to the disk what the last run left in memory, of all logs at once. The kernel tells of pages that it lost one time:
  /// where that is now, the next start, which hears nothing of it, is to know.
  package static func bringToDisk(_ directories: [String], _ fileSystem: any FileSystem) throws(IOError) {
    do throws(IOError) {
      for directory in directories { try fileSystem.syncAll(holding: directory) }
    } catch {
      for directory in directories { try? BootMark.forget(in: directory, fileSystem) }
      throw error
    }
  }

  /// Whether there are folders of partitions in a data folder.
  package static func holdsPartitions(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(IOError) -> Bool {
    try fileSystem.list(directory).contains { LogFileName.topicPartition(ofFolder: $0) != nil }
  }
}

/// What a run tells the next one of itself.
extension Shard {
  /// The cluster has heard how the run before this one ended: each folder notes that it is written under this boot, and
  /// which folders there are. Not where one has failed since: the next start is to hear of that.
  func noteRun(then: @escaping () -> Void) {
    guard folders.indices.allSatisfy(isWorking) else { return then() }
    var missing = folders.count
    for (folder, directory) in config.logDirs.enumerated() {
      let job = DiskJob.noteRun(directory, all: config.logDirs, boot: startMode.boot)
      onDisk(folder, job) { [unowned self] result in
        if case .failed(let error) = result {
          environment.logger.warning("the next start will take it that records may be missing: \(error)")
        }
        missing -= 1
        if missing == 0 { then() }
      }
    }
  }

  /// A folder has failed, and what was not flushed of it may be gone. The next start must not say that the process has only
  /// died: a replica that has lost records would lead. As far as the disks still take that note, the failed one too.
  func forgetRun() {
    for (folder, directory) in config.logDirs.enumerated() {
      onDisk(folder, .forgetRun(directory)) { [unowned self] result in
        guard case .failed(let error) = result else { return }
        environment.logger.warning("\(directory) takes no note that records may be missing: \(error)")
      }
    }
  }
}
