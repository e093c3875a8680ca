package import Effects
package import Primitives

/// A file of one offset for each of many partitions, Kafka's format: "0", how many, then "topic partition offset" lines.
/// Kept in the log directory by whoever owns its logs.
package struct OffsetCheckpoint {
  /// The names Kafka knows.
  package enum Name: String, CaseIterable, Sendable {
    case recoveryPoint = "recovery-point-offset-checkpoint"
    case logStartOffset = "log-start-offset-checkpoint"
    case cleanerOffset = "cleaner-offset-checkpoint"
  }

  private let path: String
  private let logDirectory: String
  private let fileSystem: any FileSystem

  /// The checkpoint called `name` in the folder `logDirectory`.
  package init(_ name: Name, logDirectory: String, fileSystem: any FileSystem) {
    self.logDirectory = logDirectory
    path = logDirectory + "/" + name.rawValue
    self.fileSystem = fileSystem
  }

  /// The offsets; none when the file is missing or damaged, for all of them are hints.
  package func read() throws(IOError) -> [TopicPartition: Offset] { try readIfWhole() ?? [:] }

  /// The offsets; nil when the file is missing or damaged, and nothing follows from what it does not say.
  package func readIfWhole() throws(IOError) -> [TopicPartition: Offset]? {
    guard fileSystem.exists(path) else { return nil }
    return Self.parse(String(decoding: try fileSystem.readAll(path), as: UTF8.self))
  }

  /// Those of `offsets` whose partitions' folders lie beside the file. One of the others may have been made anew in another
  /// folder of log.dirs, while this one had failed: what is said here is nothing to it.
  func present(_ offsets: [TopicPartition: Offset]) -> [TopicPartition: Offset] {
    offsets.filter { fileSystem.exists(logDirectory + "/" + $0.key.description) }
  }

  /// Replaces the file, on the disk when it returns.
  package func write(_ offsets: [TopicPartition: Offset]) throws(IOError) {
    try fileSystem.replace(path, with: Array(Self.text(offsets).utf8))
  }

  static func text(_ offsets: [TopicPartition: Offset]) -> String {
    var text = "0\n\(offsets.count)\n"
    let sorted = offsets.sorted { ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition) }
    for (partition, offset) in sorted { text += "\(partition.topic) \(partition.partition) \(offset.value)\n" }
    return text
  }

  static func parse(_ text: String) -> [TopicPartition: Offset]? {
    let lines = text.split(separator: "\n")
    guard lines.count >= 2, lines[0] == "0", let count = Int(lines[1]), count == lines.count - 2 else { return nil }
    var offsets: [TopicPartition: Offset] = [:]
    for line in lines.dropFirst(2) {
      let words = line.split(separator: " ")
      guard words.count == 3, let partition = Int32(words[1]), let offset = Int64(words[2]), partition >= 0 else {
        return nil
      }
      offsets[TopicPartition(String(words[0]), partition)] = Offset(offset)
    }
    return offsets
  }
}
