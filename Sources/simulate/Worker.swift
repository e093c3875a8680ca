internal import Foundation

/// A process that runs some seeds, and the lines with which it tells how they went:
/// `begin SEED`, then `good SEED HASH` or `bad SEED WHAT`, and `reached NAME` at the end.
final class Worker {
  /// What came of one seed.
  enum Outcome {
    case good(hash: String)
    case bad(String)
  }

  let seeds: ClosedRange<UInt64>
  private let process = Process()
  private let pipe = Pipe()

  init(_ seeds: ClosedRange<UInt64>, mutant: String?) throws {
    self.seeds = seeds
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    process.arguments = ["--worker", "--seeds", "\(seeds.lowerBound)..\(seeds.upperBound)"]
    if let mutant { process.arguments? += ["--mutant", mutant] }
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = environment
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
  }

  /// Waits for it to end. A seed that was begun and not ended has taken the process with it.
  func finish() -> (outcomes: [UInt64: Outcome], reached: Set<String>, next: UInt64?) {
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var outcomes: [UInt64: Outcome] = [:]
    var reached: Set<String> = []
    var begun: UInt64?
    var stray: [String] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      switch (words.first, words.dropFirst().first.flatMap { UInt64($0) }) {
      case ("begin", let seed?): begun = seed
      case ("good", let seed?):
        outcomes[seed] = .good(hash: words.last ?? "")
        begun = nil
      case ("bad", let seed?):
        outcomes[seed] = .bad(words.last ?? "")
        begun = nil
      case ("reached", _): if words.count > 1 { reached.insert(words[1]) }
      default: stray.append(String(line))
      }
    }
    guard let crashed = begun else { return (outcomes, reached, nil) }
    outcomes[crashed] = .bad("crash: " + (stray.first ?? "the process ended with \(process.terminationStatus)"))
    return (outcomes, reached, crashed < seeds.upperBound ? crashed + 1 : nil)
  }
}
