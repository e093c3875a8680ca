internal import Observability
internal import Primitives

/// What happened, as a number that two runs of a seed must share, and as lines for whoever looks at one.
package final class Trace {
  /// Of everything so far.
  package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Takes lines, where somebody wants them.
  private let output: ((String) -> Void)?
  var now = Instant(nanoseconds: 0)
  private(set) var eventCount = 0

  package init(output: ((String) -> Void)? = nil) { self.output = output }

  var isPrinted: Bool { output != nil }

  func note(_ kind: UInt64, _ first: Int, _ second: Int = 0) {
    eventCount += 1
    mix(UInt64(bitPattern: now.nanoseconds))
    mix(kind &+ UInt64(truncatingIfNeeded: first) &* 1_000_003 &+ UInt64(truncatingIfNeeded: second) &* 7_919)
  }

  func note(bytes: [UInt8]) {
    bytes.withUnsafeBytes { mix(UInt64(CRC32C.checksum($0)) &+ UInt64($0.count) << 32) }
  }

  private func mix(_ value: UInt64) {
    hash = (hash ^ value) &* 0x100_0000_01b3
    hash ^= hash >> 29
  }

  /// A line for people; it counts for the hash too.
  func say(_ words: @autoclosure () -> String) {
    guard let output else { return }
    output("\(Self.time(now)) \(words())")
  }

  private static func time(_ instant: Instant) -> String {
    let us = instant.nanoseconds / 1000
    let fraction = String(us % 1_000_000)
    return "\(us / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
  }
}
