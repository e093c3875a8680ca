internal import Effects
internal import Primitives

/// Why a cleaning ended before it was done.
enum CleaningStop: Error {
  case failed(IOError)
  case damaged(CleaningDamage)
  /// Whoever runs it wanted it to end.
  case stopped
  case gaveUp(String)
}

/// A batch that is not what was once written.
package struct CleaningDamage: Hashable, Sendable {
  /// The number of its segment among those of the work.
  let source: Int
  /// In the segment's file.
  let position: Int64
  /// The offset that was due there.
  let dueOffset: Offset
  let reason: String
}

/// How fast a cleaning may go, and whether it may go on.
struct CleaningPace {
  /// Told of each number of bytes read or written; may sleep.
  let throttle: (Int) -> Void
  let mustStop: () -> Bool

  /// So many bytes were read or written.
  func spend(_ byteCount: Int) throws(CleaningStop) {
    throttle(byteCount)
    if mustStop() { throw .stopped }
  }
}

/// Runs a file operation of a cleaning.
func cleaning<Result>(_ body: () throws(IOError) -> Result) throws(CleaningStop) -> Result {
  do throws(IOError) { return try body() } catch { throw CleaningStop.failed(error) }
}
