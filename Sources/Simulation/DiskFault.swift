/// What is asked of a disk: every call of these kinds is counted, and may be made to fail.
package enum DiskCall: String, CaseIterable, Sendable {
  case open, size, read, write, preallocate, truncate, sync
  case list, createDirectory, rename, removeFile, removeDirectory, syncDirectory, syncAll, space
}

/// A call that fails.
package struct DiskFault: Sendable {
  /// What a failing call does before it fails.
  package enum Effect: Sendable, Equatable {
    /// Nothing: the call is refused.
    case none
    /// A write brings the first half of its bytes into the file. Other calls do nothing.
    case half
    /// A write brings this many of its bytes into the file, or all. Other calls do nothing.
    case first(Int)
    /// A sync brings nothing to the disk and marks what was dirty as clean, as Linux does: reads still show it, the next
    /// sync succeeds, and it is gone when the cache is. Other calls do nothing.
    case dropsDirtyPages

    /// How many of `byteCount` bytes a failing write brings into the file.
    func writtenCount(of byteCount: Int) -> Int {
      switch self {
      case .none, .dropsDirtyPages: 0
      case .half: byteCount / 2
      case .first(let count): min(max(0, count), byteCount)
      }
    }
  }

  /// The matching call that fails, counted from 1 on when the fault is set.
  let number: Int
  let errno: Int32
  let effect: Effect
  /// Whether all matching calls behind it fail too.
  let isLasting: Bool
  /// The kinds that match.
  let calls: Set<DiskCall>
  /// Only paths that contain this match.
  let pathPart: String
}

/// Counting calls, and letting those fail that are to.
struct DiskFaults {
  private(set) var counts: [DiskCall: Int] = [:]
  private var faults: [(fault: DiskFault, seen: Int)] = []
  /// Calls that a fault made fail, as `write of <path>`.
  private(set) var failed: [String] = []

  mutating func add(_ fault: DiskFault) { faults.append((fault, 0)) }
  mutating func removeAll() { faults.removeAll() }

  /// Counts a call; the fault that makes it fail, if any does.
  mutating func begin(_ call: DiskCall, _ path: String) -> DiskFault? {
    counts[call, default: 0] += 1
    var hit: DiskFault?
    for place in faults.indices {
      let fault = faults[place].fault
      guard fault.calls.contains(call), fault.pathPart.isEmpty || path.contains(fault.pathPart) else { continue }
      faults[place].seen += 1
      let seen = faults[place].seen
      if hit == nil, seen == fault.number || (fault.isLasting && seen > fault.number) { hit = fault }
    }
    if hit != nil { failed.append("\(call.rawValue) of \(path)") }
    return hit
  }
}
