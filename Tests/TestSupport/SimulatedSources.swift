internal import Effects
package import Observability
package import Primitives
internal import Synchronization

/// Clocks that stand still until a test moves them.
package final class HandClock: TimeSource {
  package init() {}

  private var nanoseconds: Int64 = 1_000_000_000
  private var wallMs: Int64 = 1_700_000_000_000

  /// How far each look at the clock moves it.
  package var stepMs: Int64 = 0

  package func now() -> Instant {
    advance(ms: stepMs)
    return Instant(nanoseconds: nanoseconds)
  }
  package func wallClock() -> Timestamp { Timestamp(milliseconds: wallMs) }
  package func advance(ms: Int64) {
    nanoseconds += ms * 1_000_000
    wallMs += ms
  }
}

/// Randomness from a seed (SplitMix64).
package final class SeededRandom: RandomSource, RandomNumberGenerator {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }
  package func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
  /// From 0 to `limit`, that one left out.
  package func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
  package func chance(oneIn count: Int) -> Bool { below(count) == 0 }
}

/// What a broker had to say.
package final class LogLines: LogSink {
  package init() {}

  private let lines = Mutex<[String]>([])
  package func write(_ level: LogLevel, _ line: String) { lines.withLock { $0.append("\(level.name): \(line)") } }
  package var all: [String] { lines.withLock { $0 } }
  package func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }
}
