import Primitives
import Records

@testable import Storage

/// What a log was told, as the simplest thing that says what may be found in it: the batches in order, up to where they are
/// promised to be on the disk, and where the log may begin at most.
struct LogHistory {
  struct Entry {
    let base: Int64
    let last: Int64
    let bytes: [UInt8]
    let epoch: Int32
    let header: RecordBatchHeader
    /// The clock at the append.
    let appendTime: Int64
    var end: Int64 { last + 1 }
  }

  /// Everything that was appended and not cut, what failed and may be there all the same among it.
  var entries: [Entry] = []
  /// Where a log without entries ends.
  var emptyEnd: Int64 = 0
  /// Everything below was brought to the disk.
  var flushedEnd: Int64 = 0
  /// The log begins here or before.
  var startMax: Int64 = 0 { didSet { termsFrom = max(termsFrom, startMax) } }
  /// Terms of what lies before are forgotten: the log has begun here at some time.
  var termsFrom: Int64 = 0
  /// Where a log without a record may begin, after a cut that went half way: also where its checkpoint, which may lie before its
  /// first segment, says.
  var emptyStarts: [Int64] = []

  var end: Int64 { entries.last?.end ?? emptyEnd }

  mutating func append(_ bytes: [UInt8], _ result: AppendResult, epoch: Int32, at now: Timestamp) {
    var bytes = bytes
    bytes.withUnsafeMutableBytes { buffer in
      buffer.baseAddress?.storeBigEndian(result.baseOffset.value, at: 0)
      buffer.baseAddress?.storeBigEndian(epoch, at: 12)
    }
    guard let header = bytes.withUnsafeBytes({ RecordBatchHeader(reading: $0) }) else { return }
    entries.append(
      Entry(
        base: result.baseOffset.value, last: result.lastOffset.value, bytes: bytes, epoch: epoch, header: header,
        appendTime: now.milliseconds))
  }

  /// Batches that reach to `offset` or beyond are gone; the log ends at `end`.
  mutating func cut(from offset: Int64, end: Int64) {
    entries.removeAll { $0.last >= offset }
    if entries.isEmpty { emptyEnd = end }
    flushedEnd = min(flushedEnd, self.end)
    startMax = min(startMax, self.end)
    termsFrom = min(termsFrom, self.end)
  }

  /// The log was opened and begins and ends here: what is behind it is lost.
  mutating func settle(start: Int64, end: Int64) {
    entries.removeAll { $0.last >= end || $0.last < start && start == end }
    if entries.isEmpty { emptyEnd = end }
    startMax = start
    termsFrom = min(termsFrom, end)
    emptyStarts = []
  }

  /// What a reader must find in a log that begins and ends so.
  func visible(from start: Int64, to end: Int64) -> ArraySlice<Entry> {
    let first = entries.firstIndex { $0.last >= start } ?? entries.endIndex
    return entries[first...].prefix { $0.last < end }
  }
}

/// What a log did that it must not do.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

func check(_ claim: Bool, _ message: @autoclosure () -> String) throws(Violation) {
  if !claim { throw Violation(description: message()) }
}
