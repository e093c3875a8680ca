internal import Broker
internal import CLinux
internal import Primitives
internal import Synchronization

/// How many bytes a second some kind of work may move, whoever does it.
final class ByteRate: Sendable {
  /// When the bytes that were asked for so far are paid for, in nanoseconds of the monotonic clock.
  private let paidAt = Mutex<Int64>(0)

  /// Takes note of `byteCount` bytes at `now`; returns when the next may follow.
  func spend(_ byteCount: Int, bytesPerSecondMax: Double, now: Int64) -> Int64 {
    guard bytesPerSecondMax < 1e15 else { return now }
    let nanoseconds = Int64(min(1e15, Double(byteCount) / max(1, bytesPerSecondMax) * 1e9))
    return paidAt.withLock { paidAt in
      paidAt = max(paidAt, now) + nanoseconds
      return paidAt
    }
  }
}

/// The pace of one piece of work: it shares a rate with others of its kind, and may be told to stop.
final class BackgroundPace: DiskPace {
  private let rate: ByteRate
  private let isStopped = Atomic<Bool>(false)

  init(_ rate: ByteRate) { self.rate = rate }

  var mustStop: Bool { isStopped.load(ordering: .relaxed) }
  func stop() { isStopped.store(true, ordering: .relaxed) }

  func spend(_ byteCount: Int, bytesPerSecondMax: Double) {
    let clock = LinuxClock()
    let until = rate.spend(byteCount, bytesPerSecondMax: bytesPerSecondMax, now: clock.now().nanoseconds)
    while !mustStop {
      let left = until - clock.now().nanoseconds
      guard left > 0 else { return }
      ottla_sleep(min(left, Self.sliceNanoseconds))
    }
  }

  /// Who is told to stop does so after so long at the latest.
  private static let sliceNanoseconds: Int64 = 50_000_000
}
