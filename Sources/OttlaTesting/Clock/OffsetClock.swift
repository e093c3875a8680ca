internal import Effects
internal import Primitives
internal import Runtime
internal import Synchronization

/// The machine's clocks, so far ahead.
final class OffsetClock: TimeSource, Sendable {
  private let machine = LinuxClock()
  private let ahead = Atomic<Int64>(0)

  /// How far ahead, in nanoseconds.
  var aheadNanoseconds: Int64 { ahead.load(ordering: .sequentiallyConsistent) }

  func move(nanoseconds: Int64) { ahead.wrappingAdd(nanoseconds, ordering: .sequentiallyConsistent) }

  func now() -> Instant { Instant(nanoseconds: machine.now().nanoseconds &+ aheadNanoseconds) }

  func wallClock() -> Timestamp {
    Timestamp(milliseconds: machine.wallClock().milliseconds &+ aheadNanoseconds / 1_000_000)
  }
}
