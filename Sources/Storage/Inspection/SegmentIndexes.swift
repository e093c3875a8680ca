package import Effects
internal import Primitives

/// An entry of a `.index` file.
package struct StoredOffsetEntry: Hashable, Sendable {
  /// The offset, and where in the segment the batch that holds it begins.
  package let offset: Int64
  package let position: Int64
}

/// An entry of a `.timeindex` file.
package struct StoredTimeEntry: Hashable, Sendable {
  /// In milliseconds.
  package let timestamp: Int64
  package let offset: Int64
}

/// Reads the index files beside a segment, Kafka's and ours alike. Zeros at the end are room that Kafka reserves in the
/// indexes of an active segment.
package enum SegmentIndexes {
  /// Entries, and bytes behind them that are no whole entry. Throws what reading the file threw.
  package static func offsetEntries(
    _ path: String, baseOffset: Int64, _ fileSystem: any FileSystem
  ) throws(IOError) -> (entries: [StoredOffsetEntry], oddByteCount: Int) {
    try entries(path, byteCount: OffsetIndexEntry.byteCount, fileSystem) { bytes in
      let entry = OffsetIndexEntry(reading: bytes, baseOffset: Offset(baseOffset))
      return StoredOffsetEntry(offset: entry.offset.value, position: Int64(entry.position))
    }
  }

  /// The same for times.
  package static func timeEntries(
    _ path: String, baseOffset: Int64, _ fileSystem: any FileSystem
  ) throws(IOError) -> (entries: [StoredTimeEntry], oddByteCount: Int) {
    try entries(path, byteCount: TimeIndexEntry.byteCount, fileSystem) { bytes in
      let entry = TimeIndexEntry(reading: bytes, baseOffset: Offset(baseOffset))
      return StoredTimeEntry(timestamp: entry.timestamp.milliseconds, offset: entry.offset.value)
    }
  }

  private static func entries<Entry>(
    _ path: String, byteCount: Int, _ fileSystem: any FileSystem, _ read: (UnsafeRawPointer) -> Entry
  ) throws(IOError) -> (entries: [Entry], oddByteCount: Int) {
    let window = try FileWindow(path, fileSystem: fileSystem)
    var entries: [Entry] = []
    var usedCount = 0
    var position: Int64 = 0
    while let bytes = try window.bytes(at: position, count: byteCount), let base = bytes.baseAddress {
      entries.append(read(base))
      if bytes.contains(where: { $0 != 0 }) { usedCount = entries.count }
      position += Int64(byteCount)
    }
    entries.removeLast(entries.count - usedCount)
    return (entries, Int(window.byteCount % Int64(byteCount)))
  }
}
