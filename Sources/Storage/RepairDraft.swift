package import Primitives
internal import Records

/// Offsets that a log cannot serve, and the bytes of the segment that they stood in. Batches are byte for byte the same on
/// all replicas, so another one has what belongs there.
package struct DamagedPlace: Hashable, Sendable {
  /// From the end of what is sound before it to where what is sound begins again.
  package let offsets: Range<Offset>
  /// In the segment's file.
  package let position: Int64
  /// Bytes up to the next sound batch, or the end of the file; 0 where the file ends too early.
  package let byteCount: Int64
  /// Whether nothing of the segment follows, and the file may become longer or shorter.
  let endsSegment: Bool
  let segmentBaseOffset: Offset
  /// The terms of the records around it: those of its own lie between.
  let terms: ClosedRange<LeaderEpoch>
  /// Whether there may be gaps between batches.
  let isCompacted: Bool
  /// The log's counts of cuts and swaps: by these it knows whether the place is still there.
  let cutCount: Int
  let swapCount: Int
}

/// What a `RepairDraft` needs next.
package enum RepairStep: Hashable, Sendable {
  /// More, from `nextOffset` on.
  case wantsMore
  /// There is enough to be written: `Log.repairWork`.
  case isReady
  /// What the other replica has does not belong there.
  case doesNotFit(String)
}

/// Batches of another replica, gathered until they fill a damaged place, or a good part of a large one. Everything is checked
/// before any of it is written.
package struct RepairDraft: Sendable {
  package let place: DamagedPlace
  private(set) var bytes: [UInt8] = []
  /// The offset from which more is needed.
  package private(set) var nextOffset: Offset
  private var term: LeaderEpoch

  /// A place larger than this is filled in parts.
  package static let partByteCount = 4 << 20

  package init(_ place: DamagedPlace) {
    self.place = place
    nextOffset = place.offsets.lowerBound
    term = place.terms.lowerBound
  }

  /// Whether the place would be whole with this.
  package var isComplete: Bool {
    if place.endsSegment { return nextOffset >= place.offsets.upperBound }
    return Int64(bytes.count) == place.byteCount
  }

  /// Takes the whole batches that `records` begins with.
  package mutating func take(_ records: UnsafeRawBufferPointer) -> RepairStep {
    var position = 0
    while !isComplete, bytes.count < Self.partByteCount,
      let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: records[position...]))
    {
      guard header.magic == 2, header.totalByteCount >= RecordBatchHeader.byteCount, header.lastOffsetDelta >= 0,
        header.lastOffset >= header.baseOffset
      else { return .doesNotFit("no batch begins at offset \(nextOffset.value)") }
      guard header.totalByteCount <= records.count - position else { break }
      let batch = UnsafeRawBufferPointer(rebasing: records[position..<position + header.totalByteCount])
      position += header.totalByteCount
      // An answer may begin with batches before the offset that was asked for.
      if bytes.isEmpty, header.lastOffset < nextOffset { continue }
      if let reason = misfit(of: header, batch) { return .doesNotFit(reason) }
      bytes += batch
      nextOffset = header.nextOffset
      term = max(term, header.partitionLeaderEpoch)
    }
    if isComplete { return fault().map(RepairStep.doesNotFit) ?? .isReady }
    return bytes.count >= Self.partByteCount ? .isReady : .wantsMore
  }

  /// Why a batch cannot be the next one of the place.
  private func misfit(of header: RecordBatchHeader, _ batch: UnsafeRawBufferPointer) -> String? {
    let base = header.baseOffset
    guard place.isCompacted ? base >= nextOffset : base == nextOffset else {
      return "a batch at offset \(base.value), where \(nextOffset.value) was due"
    }
    guard header.nextOffset <= place.offsets.upperBound else {
      return "a batch up to offset \(header.lastOffset.value), where \(place.offsets.upperBound.value) is sound"
    }
    guard place.endsSegment || Int64(bytes.count + batch.count) <= place.byteCount else {
      return "its batches are longer than the \(place.byteCount) bytes there"
    }
    guard place.position + Int64(bytes.count + batch.count) <= Int64(Int32.max),
      header.lastOffset.value &- place.segmentBaseOffset.value <= Int64(Int32.max)
    else { return "one segment has no room for all of it" }
    let epoch = header.partitionLeaderEpoch
    guard epoch >= term, epoch <= place.terms.upperBound else {
      return "a batch of leader epoch \(epoch.value) among those of \(term.value) to \(place.terms.upperBound.value)"
    }
    return header.checksumMatches(batch) ? nil : "the checksum of its batch at offset \(base.value) does not match"
  }

  /// What is wrong with batches that fill the bytes.
  private func fault() -> String? {
    guard !place.isCompacted, nextOffset != place.offsets.upperBound else { return nil }
    return "its batches fill the place, and end at offset \(nextOffset.value)"
  }
}
