import Primitives

/// Entries of the index files beside a segment, as Kafka lays them out.
enum IndexFiles {
  struct OffsetEntry {
    let relativeOffset: Int32
    let position: Int32
  }

  struct TimeEntry {
    let timestamp: Int64
    let relativeOffset: Int32
  }

  /// Entries of a `.index` file: relative offset i32, position i32.
  static func offsetEntries(_ path: String) throws(CommandFailure) -> [OffsetEntry] {
    try entries(path, byteCount: 8) { base, distance in
      OffsetEntry(
        relativeOffset: base.bigEndian(Int32.self, at: distance), position: base.bigEndian(Int32.self, at: distance + 4)
      )
    }
  }

  /// Entries of a `.timeindex` file: timestamp i64, relative offset i32.
  static func timeEntries(_ path: String) throws(CommandFailure) -> [TimeEntry] {
    try entries(path, byteCount: 12) { base, distance in
      TimeEntry(
        timestamp: base.bigEndian(Int64.self, at: distance),
        relativeOffset: base.bigEndian(Int32.self, at: distance + 8))
    }
  }

  /// A file of the active segment may be preallocated: entries that are all zero, behind others, are no entries.
  private static func entries<Entry>(
    _ path: String, byteCount: Int, _ read: (UnsafeRawPointer, Int) -> Entry
  ) throws(CommandFailure) -> [Entry] {
    let file = try WindowedFile(path)
    var entries: [Entry] = []
    var position = 0
    while position + byteCount <= file.byteCount {
      guard let bytes = try file.bytes(at: position, count: byteCount), let base = bytes.baseAddress else { break }
      if position > 0, bytes.allSatisfy({ $0 == 0 }) { break }
      entries.append(read(base, 0))
      position += byteCount
    }
    return entries
  }
}
