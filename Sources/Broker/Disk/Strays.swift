internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Storage

/// Why a folder under a partition's name is not that partition's.
enum Stray {
  /// It says that it is of another topic; zero where it does not say.
  case of(UUID)
  /// It does not say whose it is, and nothing of it was ever flushed: a power cut took what it takes. What is left may be of a
  /// topic that was deleted since and made again, and so may what the checkpoints say of the name.
  case nobodys(holdsRecords: Bool)
}

/// Folders that must not be taken for a partition's log.
extension Shard {
  /// What keeps a folder from being the log of this topic's partition; nil when it is.
  ///
  /// Without the second case: a broker loses its power, and with it the folder's `partition.metadata`, which is synced with
  /// the first records, but not all of the records. Before it starts again the topic is deleted and made again. It takes the
  /// old topic's records for the new one's, and leads with them where it is the only replica.
  func stray(
    in directory: String, _ topicPartition: TopicPartition, of topic: TopicImage, _ folder: Int
  ) throws(IOError) -> Stray? {
    if let stored = try Log.topicID(inFolder: directory, fileSystem: environment.fileSystem) {
      return stored == topic.id ? nil : .of(stored)
    }
    // A process that only died leaves no log without its topic's id. After a stop in order, or where the checkpoints do not
    // know, the file was damaged or never there, as in a copy: the records may be somebody's.
    guard !startMode.wasCleanShutdown, environment.fileSystem.isDirectory(directory),
      let point = startMode.checkpoints[folder].recoveryPoint(of: topicPartition)
    else { return nil }
    let extent = try LogExtent(inFolder: directory, fileSystem: environment.fileSystem)
    // A log's recovery point is its start until it is flushed.
    guard point <= extent.baseOffset ?? .zero else { return nil }
    return .nobodys(holdsRecords: extent.byteCount > 0)
  }

  /// Puts a folder that belongs to no partition of the cluster out of the way. Its records are not removed: what the cluster
  /// does not know of may be what somebody misses.
  func setAside(_ directory: String, _ stray: Stray) throws(IOError) {
    let id: UUID
    let reason: String
    switch stray {
    case .of(let stored):
      id = stored
      reason = "belongs to no partition of this cluster (topic id \(stored))"
    case .nobodys(holdsRecords: true):
      id = .zero
      reason = "does not say which topic it is of, and was never flushed: its records may be a deleted topic's"
    case .nobodys(holdsRecords: false): return
    }
    let target = unusedStrayName(directory, id)
    do throws(IOError) {
      try environment.fileSystem.rename(directory, to: target)
      environment.logger.error("\(directory) \(reason); it is kept as \(target), remove it if nobody misses it")
    } catch {
      environment.logger.error("\(directory) \(reason), and cannot be set aside: \(error)")
      throw error
    }
  }

  private func unusedStrayName(_ directory: String, _ id: UUID) -> String {
    let name = directory.split(separator: "/").last.map(String.init) ?? directory
    let parent = directory.dropLast(name.count)
    // No file name is longer than 255 bytes, and a number may follow.
    let first = parent + name.prefix(255 - 33) + "." + id.description
    var target = first + "-stray"
    var number = 1
    while number < 999, environment.fileSystem.exists(target) {
      number += 1
      target = "\(first).\(number)-stray"
    }
    return target
  }

  /// Sets aside the folders of partitions that `image` does not have: a crash came between a deletion and its renaming, or
  /// the metadata is not the one the records were written under. What the checkpoints say of them goes too: it is nothing to
  /// a topic that will have such a name.
  func setStraysAside(_ image: ClusterImage) {
    var areCheckpointsChanged = checkpoints.contains(where: \.spokeOfGone)
    for (number, directory) in config.logDirs.enumerated() {
      guard let names = try? environment.fileSystem.list(directory) else { continue }
      for name in names {
        guard let partition = LogFileName.topicPartition(ofFolder: name) else { continue }
        let folder = directory + "/" + name
        let topic = image.topic(named: partition.topic)
        let isKnown = topic?.partition(partition.partition) != nil
        // Where there is but one folder, opening the log finds out whose it is. With several, that of an older topic might
        // hide the one that is in another folder.
        if isKnown, config.logDirs.count == 1 { continue }
        let id = (try? Log.topicID(inFolder: folder, fileSystem: environment.fileSystem)) ?? nil
        guard !isKnown || (id != nil && id != topic?.id) else { continue }
        try? setAside(folder, .of(id ?? .zero))
        checkpoints[number].forget(partition)
        areCheckpointsChanged = true
      }
    }
    if areCheckpointsChanged { forgetInFiles(image: heldLogs.image + 1) }
  }
}
