internal import Effects
internal import Synchronization
internal import Threads

/// Files that several threads sync together: each takes the next one that is left.
///
/// It needs no descriptor of its own: there may be none left, and who waits for its end must not fail for that.
final class FlushRound: Sendable {
  private let files: [any File]
  private let next = Atomic<Int>(0)
  private let helperCount: Int
  private let helpersDone: JobQueue<Void>
  private let firstFailure = Mutex<IOError?>(nil)

  /// `helpersDone` is where helpers say that they have done their part. Rounds that follow each other share it: each takes
  /// out what its own helpers put in.
  init(_ files: [any File], helperCount: Int, helpersDone: JobQueue<Void>) {
    self.files = files
    self.helperCount = helperCount
    self.helpersDone = helpersDone
  }

  /// The first that failed; a file whose sync failed is not tried again, and the others are still synced.
  var failure: IOError? { firstFailure.withLock { $0 } }

  /// Syncs files until none is left to take.
  func work() {
    while true {
      let number = next.add(1, ordering: .relaxed).oldValue
      guard number < files.count else { return }
      do throws(IOError) { try files[number].sync() } catch {
        firstFailure.withLock { $0 = $0 ?? error }
      }
    }
  }

  /// A helper has done its part.
  func leave() { helpersDone.add(()) }

  func waitForHelpers() {
    for _ in 0..<helperCount { _ = helpersDone.take() }
  }
}
