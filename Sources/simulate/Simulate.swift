internal import Foundation
internal import Simulation

/// Runs clusters of simulated brokers, a seed each, and says which seeds break what.
@main
enum Simulate {
  static func main() {
    guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
      say(Arguments.usage)
      exit(2)
    }
    if let name = arguments.mutant, MutationName(name) == nil {
      say("no bug of that name is known here: \(MutationName.all.joined(separator: ", "))")
      exit(2)
    }
    switch arguments.task {
    case .work: work(arguments)
    case .mutants: exit(findMutants(arguments) ? 0 : 1)
    case .seeds: exit(runSeeds(arguments) ? 0 : 1)
    }
  }

  private static func work(_ arguments: Arguments) {
    var reached: Set<Sometimes> = []
    for seed in arguments.seeds {
      say("begin \(seed)")
      let run = SeedRun(seed, mutant: arguments.mutant.flatMap { MutationName($0) }, isTraced: false)
      reached.formUnion(run.reached)
      if let violation = run.violation {
        say("bad \(seed) \(violation)")
        // With a bug in it one is enough.
        if arguments.mutant != nil { break }
      } else {
        say("good \(seed) \(String(run.hash, radix: 16))")
      }
    }
    for state in reached.map(\.rawValue).sorted() { say("reached \(state)") }
  }

  // MARK: seeds

  private static func runSeeds(_ arguments: Arguments) -> Bool {
    if arguments.seeds.count == 1, !arguments.isTwice { return runOne(arguments) }
    let seedRunner = SeedRunner(arguments)
    seedRunner.run()
    return seedRunner.report()
  }

  private static func runOne(_ arguments: Arguments) -> Bool {
    let seed = arguments.seeds.lowerBound
    let run = SeedRun(seed, mutant: arguments.mutant.flatMap { MutationName($0) }, isTraced: arguments.isTraced)
    say("seed \(seed): \(run.violation ?? "good"); \(run.summary), trace \(String(run.hash, radix: 16))")
    return run.violation == nil
  }

  // MARK: bugs of the past

  private static let mutantSeedsMax: UInt64 = 2000

  private static func findMutants(_ arguments: Arguments) -> Bool {
    let names = arguments.mutant.map { [$0] } ?? MutationName.all
    var isGood = !names.isEmpty
    if names.isEmpty { say("this build knows no bugs of the past: build with -Xswiftc -DDEBUG") }
    for name in names {
      if let (seed, what) = find(name, arguments.jobs) {
        say("\(name): seed \(seed), \(what)")
      } else {
        isGood = false
        say("\(name): NOT FOUND in \(mutantSeedsMax) seeds")
      }
    }
    return isGood
  }

  private static func find(_ name: String, _ jobs: Int) -> (UInt64, String)? {
    let step: UInt64 = 25
    var next: UInt64 = 1
    while next <= mutantSeedsMax {
      var workers: [Worker] = []
      for _ in 0..<jobs where next <= mutantSeedsMax {
        guard let worker = try? Worker(next...(next + step - 1), mutant: name) else { return nil }
        workers.append(worker)
        next += step
      }
      var found: [(UInt64, String)] = []
      for worker in workers {
        for (seed, outcome) in worker.finish().outcomes { if case .bad(let what) = outcome { found.append((seed, what)) } }
      }
      if let first = found.min(by: { $0.0 < $1.0 }) { return first }
    }
    return nil
  }
}
