package import Effects
package import Primitives

/// `partition.metadata`: the id of the topic a folder belongs to, so that a topic made anew never finds the old one's data.
enum PartitionMetadata {
  static func text(_ topicID: UUID) -> String { "version: 0\ntopic_id: \(topicID)" }

  /// The topic id in a `partition.metadata`; nil when it is none.
  static func topicID(in text: String) -> UUID? {
    var version: Substring?
    var id: UUID?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: ":", maxSplits: 1)
      guard words.count == 2 else { return nil }
      let value = words[1].drop { $0 == " " }
      switch words[0] {
      case "version": version = value
      case "topic_id": id = UUID(value)
      default: break
      }
    }
    return version == "0" ? id : nil
  }

  /// Writes the file where it is missing or damaged, and says whether it did: it is synced with the first batches. A
  /// folder that belongs to another topic is refused.
  static func ensure(
    in directory: String, topicID: UUID, _ topicPartition: TopicPartition, _ environment: LogEnvironment
  ) throws(IOError) -> Bool {
    let path = directory + "/" + LogFileName.partitionMetadata
    if environment.fileSystem.exists(path) {
      let text = String(decoding: try environment.fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self)
      if let found = Self.topicID(in: text) {
        guard found == topicID else {
          throw IOError(operation: "open for topic id \(topicID) (the folder is of \(found))", path: path, errno: 0)
        }
        return false
      }
      environment.log?(.ignoredDamagedFile(topicPartition, path: path, reason: "no topic id"))
    }
    try environment.writeUnsynced(path, Array(text(topicID).utf8))
    return true
  }
}

extension Log {
  /// The topic a partition's folder belongs to, by its `partition.metadata`; nil when it does not say.
  package static func topicID(inFolder directory: String, fileSystem: any FileSystem) throws(IOError) -> UUID? {
    let path = directory + "/" + LogFileName.partitionMetadata
    guard fileSystem.exists(path) else { return nil }
    return PartitionMetadata.topicID(
      in: String(decoding: try fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self))
  }
}
