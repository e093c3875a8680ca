import Testing

@testable import Simulation

/// Seeds that have found something. What a seed does changes with the simulator; what it once found, it goes on guarding
/// against as well as any other.
@Suite struct RegressionSeedsTests {
  @Test(arguments: [
    // A batch that a new leader had stored, and not yet shown, was acknowledged as a duplicate (R1).
    UInt64(401),
    // A leader that had been killed twice did not know a term of its own log (R9).
    1908,
    // A new controller decided by who had been alive in its last term (R5).
    2523,
    // A follower did not hear the high watermark after a cut (L1).
    1385,
    // A replica that went and came back joined for records that it was about to delete (R2).
    645,
    // Records were lost, and the start after the next one said that none were (R2).
    2033, 3462,
    // A topic made again under its old name began where the old one's records had been deleted (R15).
    2582,
  ]) func seedsThatFoundSomething(seed: UInt64) throws {
    try ClusterSimulator(seed: seed) { $0.hasLaterFaults = false }.run()
  }

  @Test(arguments: [
    // The folder of a topic that was made again was the old one's, without its id, and the log began where that one's had (R8).
    UInt64(9162),
    // Not a bug: a reassignment was done, and those who heard of it late found its new leader with its log not open yet (R2).
    3613, 4482,
  ]) func seedsWithAllFaults(seed: UInt64) throws {
    try ClusterSimulator(seed: seed).run()
  }
}
