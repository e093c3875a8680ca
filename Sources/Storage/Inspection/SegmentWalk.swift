package import Effects
internal import Primitives
internal import Records

/// What stands next in a segment.
package enum SegmentElement {
  case batch(StoredBatch)
  /// Bytes that are no whole, sound batch.
  case damage(DamagedBytes)
}

/// Bytes of a segment that are no whole, sound batch.
package struct DamagedBytes: Hashable, Sendable {
  /// Where they begin, and where the next sound batch does (or the file ends).
  package let position: Int64
  package let end: Int64
  /// What is wrong with them.
  package let reason: String
  /// The last offset that they claim to hold, where a header is there that can be right; nothing vouches for it.
  package let claimedLastOffset: Int64?
}

/// Walks the batches of a segment from the front, over damage too: behind it at the next place where a sound batch begins.
/// The order of the offsets is the caller's to judge.
package struct SegmentWalk {
  private let window: FileWindow
  /// Offsets at and beyond this belong to the next segment; batches found behind damage are below.
  private let limit: Int64?
  private var position: Int64 = 0
  private var due: Int64

  /// - Parameters:
  ///   - base: the first offset that the file can hold; a batch found behind damage has this or a later one.
  ///   - limit: where the next segment begins; nil for the last one.
  package init(_ window: FileWindow, base: Int64, limit: Int64?) {
    self.window = window
    self.limit = limit
    due = base
  }

  /// The next element; nil at the end of the file. A batch's bytes are good until the next call.
  package mutating func next() throws(IOError) -> SegmentElement? {
    guard position < window.byteCount else { return nil }
    switch try look(at: position) {
    case .sound(let batch):
      position += Int64(batch.bytes.count)
      due = max(due, batch.lastOffset &+ 1)
      return .batch(batch)
    case .bad(let reason, let byteCount):
      let search = BatchHunt(window: window, due: due, limit: limit)
      let end = try search.next(behind: position, claimedByteCount: byteCount) ?? window.byteCount
      let claimed = try claimedLastOffset(at: position)
      let damage = DamagedBytes(position: position, end: end, reason: reason, claimedLastOffset: claimed)
      position = end
      return .damage(damage)
    }
  }

  private enum Look {
    case sound(StoredBatch)
    /// What is wrong, and how long the batch says that it is, where that may be so.
    case bad(String, byteCount: Int?)
  }

  private func look(at position: Int64) throws(IOError) -> Look {
    let rest = window.byteCount - position
    guard rest >= Int64(OldMessage.byteCountMin), let head = try window.bytes(at: position, count: 17),
      let base = head.baseAddress
    else { return .bad("\(rest) bytes, too few for a batch", byteCount: nil) }
    let length = base.bigEndian(Int32.self, at: 8)
    let magic = base.bigEndian(Int8.self, at: 16)
    let byteCount = Int(length) + RecordBatchHeader.overheadByteCount
    let least = magic == 2 ? RecordBatchHeader.byteCount : OldMessage.byteCountMin
    guard (0...2).contains(magic) else {
      return .bad(try emptiness(from: position) ?? "a batch of the unknown format \(magic)", byteCount: byteCount)
    }
    guard byteCount >= least else {
      let what = try emptiness(from: position) ?? "a batch of the impossible length \(length)"
      return .bad(what, byteCount: nil)
    }
    guard Int64(byteCount) <= rest, let bytes = try window.bytes(at: position, count: byteCount) else {
      return .bad("a torn batch: \(rest) of its \(byteCount) bytes are there", byteCount: nil)
    }
    return magic == 2 ? Self.current(bytes, position) : Self.old(bytes, position)
  }

  private static func current(_ bytes: UnsafeRawBufferPointer, _ position: Int64) -> Look {
    guard let header = RecordBatchHeader(reading: bytes) else { return .bad("no header", byteCount: nil) }
    guard header.checksumMatches(bytes) else { return .bad("the checksum is wrong", byteCount: bytes.count) }
    guard header.lastOffsetDelta >= 0, header.baseOffset.value >= 0, header.lastOffset >= header.baseOffset else {
      return .bad(
        "impossible offsets, \(header.baseOffset.value) and \(header.lastOffsetDelta) more", byteCount: bytes.count)
    }
    return .sound(StoredBatch(position: position, bytes: bytes, format: .current(header)))
  }

  private static func old(_ bytes: UnsafeRawBufferPointer, _ position: Int64) -> Look {
    guard OldMessage.checksumMatches(bytes) else { return .bad("the checksum is wrong", byteCount: bytes.count) }
    do throws(RecordError) {
      let message = try OldMessage(reading: bytes)
      guard message.offset.value >= 0 else {
        return .bad("the impossible offset \(message.offset.value)", byteCount: bytes.count)
      }
      return .sound(StoredBatch(position: position, bytes: bytes, format: .old(message)))
    } catch { return .bad("\(error)", byteCount: bytes.count) }
  }

  /// What the header of a batch that is not sound says, if it fits what was read before.
  private func claimedLastOffset(at position: Int64) throws(IOError) -> Int64? {
    guard let bytes = try window.bytes(at: position, count: RecordBatchHeader.byteCount),
      let header = RecordBatchHeader(reading: bytes), header.magic == 2, header.baseOffset.value >= due,
      (0..<1 << 24).contains(header.lastOffsetDelta), header.lastOffset.value < limit ?? .max,
      header.lastOffset.value &- due <= Int64(Int32.max)
    else { return nil }
    return header.lastOffset.value
  }

  /// Says so where nothing but zeros follows: room that was reserved, or a write that never reached the disk.
  private func emptiness(from start: Int64) throws(IOError) -> String? {
    var position = start
    while position < window.byteCount {
      let count = Int(min(64 << 10, window.byteCount - position))
      guard let bytes = try window.bytes(at: position, count: count) else { return nil }
      if bytes.contains(where: { $0 != 0 }) { return nil }
      position += Int64(count)
    }
    return "nothing but zeros, \(window.byteCount - start) bytes: a write that never reached the disk, or reserved room"
  }
}
