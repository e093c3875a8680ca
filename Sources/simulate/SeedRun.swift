internal import Simulation

/// One seed in this process.
struct SeedRun {
  let seed: UInt64
  let hash: UInt64
  let summary: String
  let reached: Set<Sometimes>
  /// nil when all went well.
  let violation: String?

  init(_ seed: UInt64, mutant: MutationName?, isTraced: Bool) {
    self.seed = seed
    let trace = Trace(output: isTraced ? { say($0) } : nil)
    var failure: String?
    do {
      let simulator = try ClusterSimulator(seed: seed, trace: trace, mutation: mutant)
      do throws(Violation) { try simulator.run() } catch { failure = error.description }
      summary = simulator.summary
      reached = simulator.reachedStates
    } catch {
      failure = "the simulation did not begin: \(error)"
      summary = ""
      reached = []
    }
    violation = failure
    hash = trace.hash
  }
}
