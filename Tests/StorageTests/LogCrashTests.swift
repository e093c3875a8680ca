import Foundation
import Testing

@testable import Storage

/// Random lives of a log, compared with what it was told, by seeds.
///
/// `OTTLA_SEEDS=1000` runs more of them than the usual 60, `OTTLA_SEED_FIRST=17` begins with another than 0.
@Suite struct LogCrashTests {
  private static func number(_ name: String, else usual: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? usual
  }

  private static let seeds =
    number("OTTLA_SEED_FIRST", else: 0)..<(number("OTTLA_SEED_FIRST", else: 0) + number("OTTLA_SEEDS", else: 60))

  @Test func whatWasFlushedSurvivesEverything() throws {
    for seed in Self.seeds { try walk(seed) }
  }

  /// Short lives, most of which end before anything was noted.
  @Test func aYoungLogIsAPrefixOfWhatWasWritten() throws {
    for seed in Self.seeds { for life in 0..<8 { try walk(seed * 8 + UInt64(life), isYoung: true) } }
  }

  /// The same for a log that a follower copies.
  @Test func whatACopyHasFlushedSurvivesEverything() throws {
    for seed in Self.seeds { try walk(seed, isCopy: true) }
  }

  /// The same where every start after a crash brings everything to the disk first, as a broker's does.
  @Test func whatWasFlushedSurvivesStartsThatSync() throws {
    for seed in Self.seeds { try walk(seed, startsSynced: true) }
  }

  /// Each of them found something once.
  @Test(arguments: [7, 11, 161, 14, 30, 47, 68, 84, 176, 222, 262, 595, 776, 1503, 2363, 2384, 3016, 3512, 4708])
  func seedsThatFoundSomething(
    seed: UInt64
  )
    throws
  {
    try walk(seed)
  }

  private func walk(
    _ seed: UInt64, isYoung: Bool = false, isCopy: Bool = false, startsSynced: Bool = false
  ) throws {
    let walk = try LogCrashWalk(seed: seed, isYoung: isYoung, isCopy: isCopy, startsSynced: startsSynced)
    do { try walk.run(isYoung ? 25 : 200) } catch {
      let again = "OTTLA_SEED_FIRST=\(isYoung ? seed / 8 : seed) OTTLA_SEEDS=1 swift test --filter LogCrashTests"
      let last = walk.steps.suffix(40).joined(separator: "\n")
      Issue.record("seed \(seed): \(error)\nagain: \(again)\nthe last steps:\n\(last)")
    }
  }
}
