/// What the command line asks for.
struct Arguments {
  enum Job {
    /// These seeds, in worker processes.
    case seeds
    /// Each known bug of the past, until a seed finds it.
    case mutants
    /// These seeds, in this process, told line by line to the process that asked.
    case work
  }

  var task = Job.seeds
  var seeds: ClosedRange<UInt64> = 1...100
  var isTraced = false
  var mutant: String?
  var jobs = 2
  /// No new seeds after so many seconds.
  var seconds: Int?
  /// Each seed is run in two processes, which must see the same.
  var isTwice = false

  static let usage = """
    usage: simulate [--seeds N | A..B] [--seed N] [--trace] [--mutant NAME] [--mutants] [--jobs N] [--seconds N] [--twice]

      --seeds A..B   runs these seeds; N is 1..N
      --seed N       runs one seed
      --trace        prints what happens in it
      --mutant NAME  with a bug of the past put back
      --mutants      finds every bug of the past, within 2000 seeds each
      --jobs N       worker processes, 2 without
      --seconds N    begins no seed after so many seconds
      --twice        runs each seed in two processes and compares the traces
    """

  init?(_ words: [String]) {
    var words = words[...]
    while let word = words.popFirst() {
      switch word {
      case "--trace": isTraced = true
      case "--twice": isTwice = true
      case "--mutants": task = .mutants
      case "--worker": task = .work
      case "--seed":
        guard let seed = words.popFirst().flatMap({ UInt64($0) }) else { return nil }
        seeds = seed...seed
      case "--seeds":
        guard let range = words.popFirst().flatMap(Self.range) else { return nil }
        seeds = range
      case "--mutant":
        guard let name = words.popFirst() else { return nil }
        mutant = name
      case "--jobs":
        guard let count = words.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
        jobs = count
      case "--seconds":
        guard let count = words.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
        seconds = count
      default: return nil
      }
    }
  }

  private static func range(_ text: String) -> ClosedRange<UInt64>? {
    let parts = text.split(separator: ".").map { UInt64($0) }
    switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
    case (1, let last?, _) where last >= 1: return 1...last
    case (2, let first?, let last?) where first <= last: return first...last
    default: return nil
    }
  }
}
