package import Effects
package import Primitives
internal import Records

/// One of a log's segments as a cleaning sees it: what was there when it was begun.
struct CleaningSource: Sendable {
  let baseOffset: Offset
  /// The offset behind the last one that it may hold.
  let endOffset: Offset
  let path: String
  let byteCount: Int64
  let offsetIndexCount: Int
  let timeIndexCount: Int
}

/// A log's older segments, to be written anew without the records that newer ones of the same key make needless. May be
/// carried to a disk thread, done there with `run`, and brought back to `Log.finishCleaning`.
///
/// It opens its own files, by their names, and writes to names that end in `.cleaned`. Until it is brought back, nobody may
/// open another log in the same folder.
package struct CleaningWork: Sendable {
  package let topicPartition: TopicPartition
  /// Tells this work from others of the same log.
  let id: Int
  let directory: String
  let sources: [CleaningSource]
  /// Where to begin to look for keys.
  let firstDirtyOffset: Offset
  let rules: CleaningRules
  let limits: CleaningLimits
  let segmentBytes: Int
  let segmentIndexBytes: Int
  let indexIntervalBytes: Int

  /// Does the work; on whatever thread. Everything that it wrote is on the disk when it ends well, and removed otherwise.
  ///
  /// - Parameters:
  ///   - throttle: told of each number of bytes that were read or written; may sleep.
  ///   - mustStop: asked at least once in a MiB; true ends the work.
  package func run(
    _ fileSystem: any FileSystem, throttle: @escaping (Int) -> Void, mustStop: @escaping () -> Bool
  ) -> CleaningOutcome {
    let run = CleaningRun(self, fileSystem, CleaningPace(throttle: throttle, mustStop: mustStop))
    do throws(CleaningStop) {
      try run.run()
      return run.outcome(.cleaned)
    } catch {
      removeCleaned(fileSystem)
      switch error {
      case .failed(let cause): return run.outcome(.failed(cause))
      case .damaged(let damage): return run.outcome(.damaged(damage))
      case .stopped: return run.outcome(.stopped)
      case .gaveUp(let reason): return run.outcome(.gaveUp(reason))
      }
    }
  }

  /// Removes what `run` wrote: for an outcome that its log has no use for. On whatever thread.
  package func discard(_ outcome: CleaningOutcome, _ fileSystem: any FileSystem) { removeCleaned(fileSystem) }

  /// Removes what it can of the files that a cleaning may have left; the next start removes the rest.
  func removeCleaned(_ fileSystem: any FileSystem) {
    let names = (try? fileSystem.list(directory)) ?? []
    for name in names where name.hasSuffix(LogFileName.cleaned) {
      try? fileSystem.removeFile(directory + "/" + name)
    }
  }
}
