internal import Effects
internal import Primitives

/// The clocks of one machine: the monotonic one goes with the simulation, the wall clock may be set.
final class NodeClock: TimeSource {
  private unowned let simulator: ClusterSimulator
  /// How far the wall clock is off.
  var skewMs: Int64 = 0

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  static let epochMs: Int64 = 1_700_000_000_000

  func now() -> Instant { simulator.now }

  func wallClock() -> Timestamp {
    Timestamp(milliseconds: Self.epochMs + simulator.now.nanoseconds / 1_000_000 + skewMs)
  }
}
