internal import CLinux
internal import Effects
internal import Synchronization

/// Files that several threads sync together: each takes the next one that is left.
final class FlushRound: Sendable {
  private let files: [any File]
  private let next = Atomic<Int>(0)
  private let helpersLeft: Atomic<Int>
  private let firstFailure = Mutex<IOError?>(nil)
  private let descriptor: Int32

  init(_ files: [any File], helperCount: Int) {
    self.files = files
    helpersLeft = Atomic(helperCount)
    descriptor = ottla_eventfd()
    precondition(descriptor >= 0, "the kernel refused an eventfd: errno \(-descriptor)")
  }

  deinit { _ = ottla_close(descriptor) }

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
  func leave() {
    if helpersLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ottla_eventfd_signal(descriptor) }
  }

  func waitForHelpers() {
    while helpersLeft.load(ordering: .acquiring) > 0 { ottla_wait_readable(descriptor, -1) }
  }
}
