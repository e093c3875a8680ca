internal import Effects
package import Primitives
internal import Records

/// A record found by its time: what ListOffsets answers.
package struct TimestampedOffset: Hashable, Sendable {
  package let offset: Offset
  package let timestamp: Timestamp
  /// The term in which the record was written.
  package let leaderEpoch: LeaderEpoch

  package init(offset: Offset, timestamp: Timestamp, leaderEpoch: LeaderEpoch) {
    self.offset = offset
    self.timestamp = timestamp
    self.leaderEpoch = leaderEpoch
  }
}

extension Log {
  /// The first record below `limit` whose timestamp is `timestamp` or later; nil when there is none. Exact: the time index
  /// only says where to begin. What is damaged is left out.
  package func offsetForTimestamp(_ timestamp: Timestamp, upTo limit: Offset) throws(LogError) -> TimestampedOffset? {
    let limit = min(limit, writtenEndOffset)
    for number in segments.indices {
      let segment = segments[number]
      guard segment.baseOffset < limit else { return nil }
      guard segment.maxTimestamp >= timestamp, endOffset(of: number) > logStartOffset else { continue }
      let start = try timeIndexPosition(of: timestamp, in: segment)
      if let found = try first(atOrAfter: timestamp, in: segment, from: start, limit: limit) { return found }
    }
    return nil
  }

  /// The first of the records below `limit` with the largest timestamp (ListOffsets -3); nil when there is no record.
  package func offsetOfMaxTimestamp(upTo limit: Offset) throws(LogError) -> TimestampedOffset? {
    let limit = min(limit, writtenEndOffset)
    var largest: Timestamp?
    for number in segments.indices where segments[number].baseOffset < limit && endOffset(of: number) > logStartOffset {
      let segment = segments[number]
      guard segment.byteCount > 0 else { continue }
      if endOffset(of: number) <= limit, segment.baseOffset >= logStartOffset,
        segment.byteCount == segment.writtenByteCount
      {
        largest = max(largest ?? .none, segment.maxTimestamp)
      } else {
        // Only a part of the segment counts: its batches say which is the largest of those.
        try segment.forEachIntactHeader(from: 0, environment) { header in
          guard header.lastOffset < limit, header.lastOffset >= logStartOffset else { return }
          largest = max(largest ?? .none, header.newestTimestamp)
        }
      }
    }
    guard let largest else { return nil }
    if let found = try offsetForTimestamp(largest, upTo: limit) { return found }
    // The record with the largest timestamp is in the batch of `logStartOffset`, but before it.
    return try offsetOfMaxTimestampByRecords(upTo: limit)
  }

  /// Where to begin looking for `timestamp` in a segment: no batch before has a record as late.
  private func timeIndexPosition(of timestamp: Timestamp, in segment: LogSegment) throws(LogError) -> Int64 {
    // Entries say "nothing is later up to here": the last one that is earlier than what is sought.
    let (earlier, overflow) = timestamp.milliseconds.subtractingReportingOverflow(1)
    if overflow { return 0 }
    let entry = try onFile { () throws(IOError) in try segment.timeIndex.floor(earlier, environment) }
    guard let entry else { return 0 }
    guard entry.offset >= segment.baseOffset, let location = try find(entry.offset, in: segment) else {
      segment.hasWrongIndex = true
      mendIndexes(of: segment)
      return 0
    }
    var isOfThisLog = false
    try segment.forEachHeader(
      from: location.position, to: segment.writtenByteCount, environment
    ) { header, _ in
      isOfThisLog = header.maxTimestamp == entry.timestamp && header.lastOffset == entry.offset
      return false
    }
    guard isOfThisLog else {
      segment.hasWrongIndex = true
      mendIndexes(of: segment)
      return 0
    }
    return location.position
  }

  private func first(
    atOrAfter timestamp: Timestamp, in segment: LogSegment, from position: Int64, limit: Offset
  ) throws(LogError) -> TimestampedOffset? {
    var found: TimestampedOffset?
    for run in segment.intactRuns(from: position) where found == nil {
      try segment.forEachBatch(from: run.lowerBound, to: run.upperBound, environment) {
        header, batch, position throws(LogError) in
        guard header.baseOffset < limit else { return false }
        guard header.maxTimestamp >= timestamp, header.lastOffset >= logStartOffset else { return true }
        try records(of: header, batch, in: segment, at: position) { record in
          guard record.timestamp >= timestamp, record.offset >= logStartOffset, record.offset < limit else {
            return true
          }
          found = record
          return false
        }
        return found == nil
      }
    }
    return found
  }

  /// The same as `offsetOfMaxTimestamp`, by every record there is: for the rare log that begins within a batch.
  private func offsetOfMaxTimestampByRecords(upTo limit: Offset) throws(LogError) -> TimestampedOffset? {
    var largest: TimestampedOffset?
    for (segment, run) in segments.flatMap({ segment in segment.intactRuns(from: 0).map { (segment, $0) } }) {
      try segment.forEachBatch(from: run.lowerBound, to: run.upperBound, environment) {
        header, batch, position throws(LogError) in
        guard header.lastOffset < limit else { return false }
        guard header.lastOffset >= logStartOffset else { return true }
        if let largest, header.maxTimestamp <= largest.timestamp { return true }
        try records(of: header, batch, in: segment, at: position) { record in
          guard record.offset >= logStartOffset else { return true }
          if largest.map({ record.timestamp > $0.timestamp }) ?? true { largest = record }
          return true
        }
        return true
      }
    }
    return largest
  }

  private func records(
    of header: RecordBatchHeader, _ batch: UnsafeRawBufferPointer, in segment: LogSegment, at position: Int64,
    _ body: (TimestampedOffset) -> Bool
  ) throws(LogError) {
    do throws(RecordError) {
      try forEachRecord(
        in: batch, decompressor: environment.decompressor, byteCountMax: Self.decompressedByteCountMax
      ) { record, _ in
        body(
          TimestampedOffset(
            offset: header.offset(of: record), timestamp: header.timestamp(of: record),
            leaderEpoch: header.partitionLeaderEpoch))
      }
    } catch { throw segment.damaged(position, error.description) }
  }

  /// What one batch may decompress to while a timestamp is looked for. Batches were held to a lower limit when they came.
  private static var decompressedByteCountMax: Int { 1 << 30 }
}
