internal import Foundation
internal import Simulation

/// Many seeds in worker processes: one that crashes takes only its own worker with it.
final class SeedRunner {
  private let arguments: Arguments
  private var outcomes: [UInt64: Worker.Outcome] = [:]
  private var reached: Set<String> = []
  private var differing: [UInt64] = []
  private let begun = Date()
  private static let chunk: UInt64 = 40

  init(_ arguments: Arguments) { self.arguments = arguments }

  private var isOutOfTime: Bool { arguments.seconds.map { Date().timeIntervalSince(begun) >= Double($0) } ?? false }

  func run() {
    var pending: [ClosedRange<UInt64>] = []
    var first = arguments.seeds.lowerBound
    while first <= arguments.seeds.upperBound {
      let last = min(first + Self.chunk - 1, arguments.seeds.upperBound)
      pending.append(first...last)
      first = last + 1
    }
    pending.reverse()
    while !pending.isEmpty, !isOutOfTime {
      var workers: [Worker] = []
      var second: [Worker] = []
      while workers.count + second.count < arguments.jobs, let range = pending.popLast() {
        do {
          workers.append(try Worker(range, mutant: arguments.mutant))
          if arguments.isTwice { second.append(try Worker(range, mutant: arguments.mutant)) }
        } catch {
          return say("no worker could be started: \(error)")
        }
      }
      for (place, worker) in workers.enumerated() {
        let result = worker.finish()
        take(result.outcomes)
        reached.formUnion(result.reached)
        if arguments.isTwice { compare(result.outcomes, second[place].finish().outcomes) }
        if let next = result.next { pending.append(next...worker.seeds.upperBound) }
      }
    }
  }

  private func take(_ found: [UInt64: Worker.Outcome]) {
    for seed in found.keys.sorted() {
      outcomes[seed] = found[seed]
      if case .bad(let what)? = found[seed] { say("seed \(seed): \(what)") }
    }
  }

  private func compare(_ first: [UInt64: Worker.Outcome], _ second: [UInt64: Worker.Outcome]) {
    for seed in first.keys.sorted() {
      if case .good(let one)? = first[seed], case .good(let other)? = second[seed], one != other {
        differing.append(seed)
        say("seed \(seed): two processes saw different traces, \(one) and \(other)")
      }
    }
  }

  /// Says how it went; true when all is well.
  func report() -> Bool {
    let bad = outcomes.filter { if case .bad = $0.value { true } else { false } }.keys.sorted()
    let seconds = Int(Date().timeIntervalSince(begun))
    say("\(outcomes.count) seeds in \(seconds) s, \(bad.count) bad")
    let missed = Sometimes.allCases.map(\.rawValue).filter { !reached.contains($0) }
    if outcomes.count >= 500, arguments.mutant == nil, !missed.isEmpty {
      say("never reached: \(missed.joined(separator: ", "))")
    }
    for seed in bad.prefix(10) { say("again, with all that happens: \(CommandLine.arguments[0]) --seed \(seed) --trace") }
    return bad.isEmpty && differing.isEmpty
  }
}
