internal import Cluster
internal import Primitives

/// What is in the bytes of a `metadata.log`, and where they stop making sense.
struct MetadataLogScan {
  /// The frames behind the snapshot, in order.
  private(set) var frames: [MetadataFrame] = []
  /// Everything before this is intact.
  private(set) var intactByteCount = 0
  /// Behind the last intact frame: an append that a crash cut short.
  private(set) var tornByteCount = 0

  /// - Parameter snapshotOffset: the last record in the snapshot, -1 without one. Frames up to it are passed over: a crash
  ///   may come between writing the snapshot and restarting the log.
  /// - Throws: `.damaged`. Only the last append can be torn, for each was synced before the next; bad bytes with an intact
  ///   frame behind them are damage, and cutting there would lose what was committed.
  init(_ bytes: UnsafeRawBufferPointer, path: String, snapshotOffset: Offset) throws(StartError) {
    var nextOffset = snapshotOffset.advanced(by: 1)
    while intactByteCount < bytes.count {
      let position = intactByteCount
      let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
      guard let byteCount = MetadataFrame.intactByteCount(rest) else {
        if let later = Self.laterFrame(in: bytes, after: position, nextOffset: nextOffset) {
          throw .damaged(
            path: path, position: position, reason: "a bad checksum, though the frame at byte \(later) is intact")
        }
        tornByteCount = bytes.count - position
        return
      }
      guard let frame = MetadataFrame(intact: UnsafeRawBufferPointer(rebasing: rest[..<byteCount])) else {
        throw .damaged(
          path: path, position: position,
          reason: "a record that this release cannot read; a newer one may have written it")
      }
      if frame.lastOffset > snapshotOffset {
        guard frame.firstOffset == nextOffset else {
          throw .damaged(
            path: path, position: position,
            reason: "it goes on with record \(frame.firstOffset.value), and record \(nextOffset.value) is missing")
        }
        frames.append(frame)
        nextOffset = frame.lastOffset.advanced(by: 1)
      }
      intactByteCount = position + byteCount
    }
  }

  /// Where the next intact frame begins behind the bad one at `position`; nil when there is none.
  private static func laterFrame(in bytes: UnsafeRawBufferPointer, after position: Int, nextOffset: Offset) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    let smallest = MetadataFrame.headerByteCount + MetadataFrame.fixedBodyByteCount
    // An offset beyond one a byte cannot be ours: this spares nearly every checksum.
    let offsetMax = nextOffset.value &+ Int64(bytes.count)
    var candidate = position + 1
    while candidate + smallest <= bytes.count {
      let firstOffset = base.bigEndian(Int64.self, at: candidate + MetadataFrame.headerByteCount)
      if firstOffset > 0, firstOffset <= offsetMax {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[candidate...])
        if MetadataFrame.intactByteCount(rest) != nil { return candidate }
      }
      candidate += 1
    }
    return nil
  }
}
