internal import Effects
internal import Primitives
internal import Records

/// What a stop left of a cleaning, looked at when the log is opened. Kafka's rules, by Kafka's names.
struct SwapRecovery {
  let directory: String
  let environment: LogEnvironment

  /// Completes or undoes what `names` of the folder show; returns how many segments took their places.
  ///
  /// A file that is `.cleaned` was not decided upon, and neither was any `.swap` from its offset on: they go. Every other
  /// `.swap` takes the place of the segments whose offsets it covers.
  func run(_ names: [String]) throws(IOError) -> Int {
    let cleaned = names.filter { $0.hasSuffix(LogFileName.cleaned) }
    let firstUndecided = cleaned.compactMap { Self.baseOffset(of: $0, LogFileName.cleaned) }.min()
    var swaps = names.filter { $0.hasSuffix(LogFileName.swap) }
    guard !cleaned.isEmpty || !swaps.isEmpty else { return 0 }
    let undecided = swaps.filter { name in
      guard let base = Self.baseOffset(of: name, LogFileName.swap), let firstUndecided else { return false }
      return base >= firstUndecided
    }
    swaps.removeAll { undecided.contains($0) }
    // The `.cleaned` ones last: without them the others would look decided.
    try remove(undecided)
    if !undecided.isEmpty { try environment.fileSystem.syncDirectory(directory) }
    try remove(cleaned)
    return try complete(swaps, names)
  }

  private func complete(_ swaps: [String], _ names: [String]) throws(IOError) -> Int {
    let bases = swaps.compactMap { LogFileName.baseOffset(of: $0, suffix: LogFileName.log + LogFileName.swap) }
    var removed: [String] = []
    for base in bases { removed += replaced(by: base, try endOffset(of: base), names) }
    try remove(removed)
    // The old ones must be gone for good before the new ones look like any other segment.
    if !removed.isEmpty { try environment.fileSystem.syncDirectory(directory) }
    for name in swaps {
      let path = directory + "/" + name
      try environment.fileSystem.rename(path, to: String(path.dropLast(LogFileName.swap.count)))
    }
    return bases.count
  }

  /// The files of the segments that hold the offsets from `base` up to `end`.
  private func replaced(by base: Offset, _ end: Offset, _ names: [String]) -> [String] {
    names.filter { name in
      LogFileName.segmentSuffixes.contains { suffix in
        guard let other = LogFileName.baseOffset(of: name, suffix: suffix) else { return false }
        return other == base || (other > base && other < end)
      }
    }
  }

  /// The offset behind the last batch of the new segment at `base`, as far as it can be read.
  private func endOffset(of base: Offset) throws(IOError) -> Offset {
    let segment = LogSegment(directory: directory, baseOffset: base, jitterMs: 0, now: .none)
    segment.log.path += LogFileName.swap
    defer { environment.handles.close(segment.log) }
    let byteCount = try environment.handles.file(segment.log).size()
    var end = base
    do throws(LogError) {
      try segment.forEachHeader(from: 0, to: byteCount, environment) { header, _ in
        end = header.nextOffset
        return true
      }
    } catch {
      if case .io(let cause) = error { throw cause }
    }
    return end
  }

  private func remove(_ names: [String]) throws(IOError) {
    for name in names { try environment.fileSystem.removeFile(directory + "/" + name) }
  }

  private static func baseOffset(of name: String, _ suffix: String) -> Offset? {
    for kind in LogFileName.segmentSuffixes {
      if let base = LogFileName.baseOffset(of: name, suffix: kind + suffix) { return base }
    }
    return nil
  }
}
