import Foundation
import Primitives
import Testing

/// Random lives of three replicas, and the bugs of the past that they have to find.
///
/// `OTTLA_SEEDS=1000` runs more of them than usual, `OTTLA_SEED_FIRST=17` begins with another than 0.
@Suite struct ReplicationWalkTests {
  private static func number(_ name: String, else usual: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? usual
  }

  private static let stepCount = 250

  @Test func nothingIsLostAndNothingDiffers() throws {
    let first = Self.number("OTTLA_SEED_FIRST", else: 0)
    for seed in first..<first + Self.number("OTTLA_SEEDS", else: 100) {
      var walk = try ReplicationWalk(seed: seed)
      do { try walk.run(Self.stepCount) } catch {
        let again = "OTTLA_SEED_FIRST=\(seed) OTTLA_SEEDS=1 swift test --filter ReplicationWalkTests"
        Issue.record(
          "seed \(seed): \(error)\nagain: \(again)\nthe last steps:\n\(walk.steps.suffix(60).joined(separator: "\n"))")
        return
      }
    }
  }

  /// Each old bug is found, by the invariant that it breaks.
  @Test(arguments: Mutation.ofReplication)
  func everyOldBugIsFound(mutation: Mutation) throws {
    for seed: UInt64 in 0..<2000 {
      var walk = try ReplicationWalk(seed: seed, mutation: mutation)
      do { try walk.run(Self.stepCount) } catch {
        if Self.number("OTTLA_SHOW", else: 0) > 0 {
          print("\(mutation) in seed \(seed): \(error)\n\(walk.steps.suffix(25).joined(separator: "\n"))")
        }
        #expect(error is Violation, "\(error)")
        return
      }
    }
    Issue.record("2000 seeds do not find \(mutation)")
  }
}
