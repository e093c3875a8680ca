internal import Simulation

/// Runs clusters of simulated brokers, a seed each.
@main
enum Simulate {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    var first: UInt64 = 1
    var last: UInt64 = 1
    var isTraced = false
    var mutation: MutationName?
    var place = 0
    while place < arguments.count {
      switch arguments[place] {
      case "--trace": isTraced = true
      case "--seed":
        place += 1
        first = UInt64(arguments[place]) ?? 1
        last = first
      case "--seeds":
        place += 1
        let parts = arguments[place].split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        first = parts.count > 1 ? parts[0] : 1
        last = parts.last ?? 1
      case "--mutant":
        place += 1
        mutation = MutationName(arguments[place])
      default: break
      }
      place += 1
    }
    var reached: Set<Sometimes> = []
    var failures = 0
    for seed in first...last {
      let trace = Trace(output: isTraced ? { print($0) } : nil)
      do {
        let simulator = try ClusterSimulator(seed: seed, trace: trace, mutation: mutation)
        defer { reached.formUnion(simulator.reachedStates) }
        try simulator.run()
        if first == last { print("seed \(seed): \(String(trace.hash, radix: 16)), \(simulator.summary)") }
      } catch {
        failures += 1
        print("seed \(seed): \(error)")
      }
    }
    print("\(last - first + 1) seeds, \(failures) failures; reached: \(reached.map(\.rawValue).sorted())")
  }
}
