package import Effects
package import Primitives

/// What the checkpoint files of one data folder say of the partitions in it.
package struct FolderCheckpoints: Sendable {
  private var offsets: [OffsetCheckpoint.Name: [TopicPartition: Offset]] = [:]

  /// Partitions that the files spoke of and that were not in the folder: a new topic of such a name must not find that.
  private var gone: Set<TopicPartition> = []

  /// Whether recovery-point-offset-checkpoint speaks of all logs in the folder: one that it has no line for was never
  /// flushed, or not noted since. Not so where the file is missing, as in a copy without it: any log may have been flushed.
  package private(set) var tellsAllRecoveryPoints = false

  /// A folder of which nothing is known.
  package init() {}

  /// Reads the files in `logDirectory`; nothing where they are missing or damaged.
  package init(reading logDirectory: String, _ fileSystem: any FileSystem) throws(IOError) {
    for name in OffsetCheckpoint.Name.allCases {
      let file = OffsetCheckpoint(name, logDirectory: logDirectory, fileSystem: fileSystem)
      let read = try file.readIfWhole()
      let present = file.present(read ?? [:])
      offsets[name] = present
      if let read { gone.formUnion(read.keys.filter { present[$0] == nil }) }
      if name == .recoveryPoint { tellsAllRecoveryPoints = read != nil }
    }
  }

  /// Reads the files in a folder that logs are about to be opened in. Where it holds none yet, it gets its
  /// recovery-point-offset-checkpoint first, on the disk before any log: whatever a crash leaves of a log that the file does
  /// not name is then known to be unflushed.
  package init(beginning logDirectory: String, _ fileSystem: any FileSystem) throws(IOError) {
    try self.init(reading: logDirectory, fileSystem)
    guard !tellsAllRecoveryPoints else { return }
    let names = try fileSystem.list(logDirectory)
    guard !names.contains(where: { LogFileName.topicPartition(ofFolder: $0) != nil }) else { return }
    do throws(IOError) {
      try OffsetCheckpoint(.recoveryPoint, logDirectory: logDirectory, fileSystem: fileSystem).write([:])
      tellsAllRecoveryPoints = true
    } catch {
      // A broker starts on a full disk too; it then knows less of its logs.
      guard error.isOutOfSpace else { throw error }
    }
  }

  /// Whether the files spoke, when they were read, of partitions that were not in the folder.
  package var spokeOfGone: Bool { !gone.isEmpty }

  /// Whether a file speaks of a partition, or spoke of it when it was read and the folder did not hold it.
  package func speaks(of partition: TopicPartition) -> Bool {
    gone.contains(partition) || offsets.values.contains { $0[partition] != nil }
  }

  /// The topics that the files speak of, or spoke of when they were read.
  package var topics: Set<String> { Set(gone.map(\.topic)).union(offsets.values.flatMap { $0.keys.map(\.topic) }) }

  /// Up to where a log in the folder is known to have been flushed; nil where that may be anywhere.
  package func recoveryPoint(of partition: TopicPartition) -> Offset? {
    self[.recoveryPoint, partition] ?? (tellsAllRecoveryPoints ? .zero : nil)
  }

  /// The recovery points of all logs in the folder have been put in.
  package mutating func haveAllRecoveryPoints() { tellsAllRecoveryPoints = true }

  package subscript(name: OffsetCheckpoint.Name) -> [TopicPartition: Offset] { offsets[name] ?? [:] }

  package subscript(name: OffsetCheckpoint.Name, partition: TopicPartition) -> Offset? {
    get { offsets[name]?[partition] }
    set { offsets[name, default: [:]][partition] = newValue }
  }

  /// Takes out what the files say of a partition.
  package mutating func forget(_ partition: TopicPartition) {
    for name in OffsetCheckpoint.Name.allCases { offsets[name]?[partition] = nil }
  }

  /// Takes out what a file says of these topics; false when it was nothing.
  package mutating func forget(_ topics: Set<String>, in name: OffsetCheckpoint.Name) -> Bool {
    let before = self[name]
    let kept = before.filter { !topics.contains($0.key.topic) }
    offsets[name] = kept
    return kept.count < before.count
  }
}
