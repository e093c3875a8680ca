package import Effects
internal import Primitives

/// What came of `CleaningWork.run`: to be brought to `Log.finishCleaning`.
package struct CleaningOutcome: Sendable {
  package enum Ending: Hashable, Sendable {
    /// The new segments are on the disk, none in place yet.
    case cleaned
    /// It was told to stop.
    case stopped
    case failed(IOError)
    case damaged(CleaningDamage)
    /// In words: it would come to the same the next time.
    case gaveUp(String)
  }

  package let ending: Ending
  /// Everything below has now been compared with everything else.
  let mappedEnd: Offset
  let segments: [CleanedSegment]
  package let statistics: CleaningStatistics
}

/// What a cleaning did, for the log line about it.
package struct CleaningStatistics: Hashable, Sendable {
  package internal(set) var bytesRead: Int64 = 0
  package internal(set) var bytesWritten: Int64 = 0
  /// Keys in the map, and the memory it took.
  package internal(set) var keyCount = 0
  package internal(set) var mapByteCount = 0
  /// Whether more keys would have been looked at if there had been memory for them.
  package internal(set) var isMapFull = false
}

/// How a cleaning ended for its log.
package enum CleaningResult: Sendable {
  /// The new segments are about to take their places: `run` has to be called away from the log's thread, and its result
  /// brought to `Log.finishSwap`.
  case swapping(SwapSync)
  /// There was nothing to take away; the log knows that now.
  case unchanged
  /// The log has changed so that the new segments are not those of it any more: `CleaningWork.discard` has to be called,
  /// away from the log's thread.
  case discarded
  case stopped
  /// The log is as it was.
  case failed(IOError)
  /// A batch is damaged: the log says so as it does when a reader finds one, and is cleaned no more until it is mended.
  case damaged
  case gaveUp(String)
}
