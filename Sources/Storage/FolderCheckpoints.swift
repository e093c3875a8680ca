package import Effects
package import Primitives

/// What the checkpoint files of one data folder say of the partitions in it.
package struct FolderCheckpoints: Sendable {
  private var offsets: [OffsetCheckpoint.Name: [TopicPartition: Offset]] = [:]

  /// Whether the files also speak of partitions that are not in the folder: a new topic of such a name must not find that.
  package private(set) var speaksOfGone = false

  /// A folder of which nothing is known.
  package init() {}

  /// Reads the files in `logDirectory`; nothing where they are missing or damaged.
  package init(reading logDirectory: String, _ fileSystem: any FileSystem) throws(IOError) {
    for name in OffsetCheckpoint.Name.allCases {
      let file = OffsetCheckpoint(name, logDirectory: logDirectory, fileSystem: fileSystem)
      let present = try file.readOfPresent()
      offsets[name] = present
      if try file.read().count > present.count { speaksOfGone = true }
    }
  }

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
