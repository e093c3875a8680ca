import Testing

@testable import Simulation

/// Whole clusters, a seed each. Many more seeds run with `make simulate`.
@Suite struct ClusterSimulatorTests {
  /// A few of everything: what a change breaks, some seed of these finds mostly.
  @Test(arguments: UInt64(1)...12) func nothingBreaks(seed: UInt64) throws {
    try ClusterSimulator(seed: seed).run()
  }

  /// The same seed, the same run, to the last byte and the last microsecond.
  @Test(arguments: [UInt64(3), 14]) func aSeedDecidesEverything(seed: UInt64) throws {
    let first = try ClusterSimulator(seed: seed)
    try first.run()
    let second = try ClusterSimulator(seed: seed)
    try second.run()
    #expect(first.trace.hash == second.trace.hash)
    #expect(first.trace.eventCount > 1000, "the run did little: \(first.summary)")
  }

  #if DEBUG
    /// Checkers that find nothing are worth nothing. All bugs of the past: `make mutants`.
    @Test(arguments: ["highWatermarkOverCommittedIsr", "cleanElectionIgnoresIsr", "acknowledgeBeforeFlush"])
    func aBugOfThePastIsFound(name: String) throws {
      let mutation = try #require(MutationName(name))
      let isFound = (UInt64(1)...40).contains { seed in
        do {
          try ClusterSimulator(seed: seed, mutation: mutation).run()
          return false
        } catch { return true }
      }
      #expect(isFound, "40 seeds do not find \(name)")
    }

    /// Those that take several things in the right order, by the seeds that have it.
    @Test(arguments: [
      ("staleBrokerEpochJoins", UInt64(151)...151), ("keepFollowerStateOnReAdd", 20...20),
      ("skipTruncationIfLeaderUnchanged", 69...69), ("truncateToHighWatermark", 7...8),
    ]) func aRareBugOfThePastIsFound(name: String, seeds: ClosedRange<UInt64>) throws {
      let mutation = try #require(MutationName(name))
      let found = seeds.compactMap { seed -> String? in
        do {
          try ClusterSimulator(seed: seed, mutation: mutation).run()
          return nil
        } catch { return "\(error)" }
      }
      #expect(!found.isEmpty, "seeds \(seeds) do not find \(name)")
      #expect(!found.contains { $0.hasPrefix("L1") }, "only that it does not come together: \(found)")
    }
  #endif
}
