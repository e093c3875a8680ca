internal import Effects
internal import Primitives
internal import Records

/// The entries of both indexes of a segment, as its batches say.
struct IndexContents: Sendable {
  var offsets: [OffsetIndexEntry] = []
  var times: [TimeIndexEntry] = []
  /// The largest timestamp of all.
  var largest: TimeIndexEntry
}

/// Making indexes anew while the log is in use.
extension LogSegment {
  /// Both indexes, from the headers of everything written: for an active segment only while nothing waits for its write.
  /// Where a header is damaged the indexes stay as they are: they may be all that leads behind it.
  func rebuildIndexes(indexIntervalBytes: Int, _ environment: LogEnvironment) throws(LogError) {
    adopt(try indexes(intervalBytes: indexIntervalBytes, environment), environment)
  }

  /// What the indexes have to say of everything written.
  func indexes(intervalBytes: Int, _ environment: LogEnvironment) throws(LogError) -> IndexContents {
    var indexes = IndexContents(largest: TimeIndexEntry(timestamp: .none, offset: baseOffset))
    for run in intactRuns(from: 0) {
      var bytesSinceEntry = run.lowerBound > 0 ? Int.max / 2 : 0
      try forEachHeader(from: run.lowerBound, to: run.upperBound, environment) { header, position in
        if header.newestTimestamp > indexes.largest.timestamp {
          indexes.largest = TimeIndexEntry(timestamp: header.newestTimestamp, offset: header.lastOffset)
        }
        if bytesSinceEntry > intervalBytes {
          indexes.offsets.append(
            OffsetIndexEntry(offset: header.lastOffset, position: Int32(truncatingIfNeeded: position)))
          if indexes.largest.timestamp > indexes.times.last?.timestamp ?? .none {
            indexes.times.append(indexes.largest)
          }
          bytesSinceEntry = 0
        }
        bytesSinceEntry += header.totalByteCount
        return true
      }
    }
    return indexes
  }

  /// Replaces both indexes, in their files too.
  func adopt(_ indexes: IndexContents, _ environment: LogEnvironment) {
    maxTimestamp = indexes.largest.timestamp
    offsetOfMaxTimestamp = indexes.largest.offset
    offsetIndex.removeAll(environment)
    timeIndex.removeAll(environment)
    for entry in indexes.offsets { offsetIndex.append(entry, environment) }
    for entry in indexes.times { timeIndex.append(entry, environment) }
    seal(environment)
  }
}
