package import Primitives

/// The names of a partition's files and folders.
package enum LogFileName {
  static let log = ".log"
  static let offsetIndex = ".index"
  static let timeIndex = ".timeindex"
  static let producerSnapshot = ".snapshot"
  static let deleted = ".deleted"
  /// Written by a cleaning that is not done.
  static let cleaned = ".cleaned"
  /// A cleaned segment whose place is decided.
  static let swap = ".swap"
  /// What the files of a segment end with, in the order of `LogSegment.slots`.
  static let segmentSuffixes = [log, offsetIndex, timeIndex]
  static let damaged = ".damaged"
  static let leaderEpochs = "leader-epoch-checkpoint"
  static let partitionMetadata = "partition.metadata"

  /// `<20 digits><suffix>` for a segment that begins at `baseOffset`.
  package static func name(_ baseOffset: Offset, _ suffix: String) -> String {
    let digits = String(baseOffset.value)
    return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + suffix
  }

  /// The offset in a name that `name` made; nil for any other name.
  package static func baseOffset(of name: String, suffix: String) -> Offset? {
    guard name.hasSuffix(suffix) else { return nil }
    let digits = name.utf8.dropLast(suffix.utf8.count)
    guard digits.count == 20, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int64(Substring(digits)).map { Offset($0) }
  }

  /// The partition a folder `<topic>-<partition>` belongs to; nil for any other name, deleted folders among them.
  package static func topicPartition(ofFolder name: String) -> TopicPartition? {
    guard let dash = name.lastIndex(of: "-"), dash != name.startIndex else { return nil }
    let digits = name[name.index(after: dash)...]
    guard let number = Int32(digits), number >= 0, String(number) == digits else { return nil }
    return TopicPartition(String(name[..<dash]), number)
  }

  /// Whether a folder was renamed for deletion and only waits to be removed.
  package static func isDeletedFolder(_ name: String) -> Bool { name.hasSuffix("-delete") && name.contains(".") }
}
