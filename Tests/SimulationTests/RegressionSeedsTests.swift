import Testing

@testable import Simulation

/// Seeds that have found something. What a seed does changes with the simulator; what it once found, it goes on guarding
/// against as well as any other.
@Suite struct RegressionSeedsTests {
  @Test(arguments: [
    // A batch that a new leader had stored, and not yet shown, was acknowledged as a duplicate (R1).
    UInt64(401)
  ]) func seedsThatFoundSomething(seed: UInt64) throws {
    try ClusterSimulator(seed: seed).run()
  }
}
