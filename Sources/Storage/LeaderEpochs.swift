package import Primitives

/// Where each leader's term begins in a log: Kafka's LeaderEpochFileCache, kept in `leader-epoch-checkpoint`.
package struct LeaderEpochs: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    package let epoch: LeaderEpoch
    package let startOffset: Offset
    package init(epoch: LeaderEpoch, startOffset: Offset) {
      self.epoch = epoch
      self.startOffset = startOffset
    }
  }

  /// Epochs and start offsets, both growing strictly from entry to entry.
  package private(set) var entries: [Entry] = []
  /// The newest epoch; -1 when there is none.
  package private(set) var latest = LeaderEpoch.none

  package init() {}

  /// Takes `entries` as they stand in a checkpoint; nil when they do not grow.
  package init?(_ entries: [Entry]) {
    for entry in entries {
      guard entry.epoch > latest, entry.startOffset >= self.entries.last?.startOffset ?? .zero else { return nil }
      assign(entry.epoch, from: entry.startOffset)
    }
  }

  /// The term of `epoch` begins at `startOffset`. Terms that would begin at or behind it, without having written
  /// anything, are forgotten; an epoch that is not newer changes nothing.
  package mutating func assign(_ epoch: LeaderEpoch, from startOffset: Offset) {
    guard epoch > latest, epoch.value >= 0 else { return }
    while let last = entries.last, last.startOffset >= startOffset { entries.removeLast() }
    entries.append(Entry(epoch: epoch, startOffset: startOffset))
    latest = epoch
  }

  /// Where the term of `epoch` ends in a log that ends at `logEndOffset`, and the largest epoch up to it that the log
  /// knows: what OffsetForLeaderEpoch answers. (-1, -1) when the epoch is none or newer than all.
  package func endOffset(for epoch: LeaderEpoch, logEndOffset: Offset) -> (epoch: LeaderEpoch, endOffset: Offset) {
    if epoch == .none { return (.none, Offset(-1)) }
    if epoch == latest { return (epoch, logEndOffset) }
    guard let higher = entries.first(where: { $0.epoch > epoch }) else { return (.none, Offset(-1)) }
    let floor = entries.last { $0.epoch <= epoch }
    return (floor?.epoch ?? epoch, higher.startOffset)
  }

  /// The epoch in which the record at `offset` was written; nil when the log does not know.
  package func epoch(at offset: Offset) -> LeaderEpoch? { entries.last { $0.startOffset <= offset }?.epoch }

  /// The log now ends at `endOffset`: terms that begin at or behind it are forgotten.
  package mutating func truncateFromEnd(_ endOffset: Offset) {
    while let last = entries.last, last.startOffset >= endOffset { entries.removeLast() }
    latest = entries.last?.epoch ?? .none
  }

  /// The log now begins at `startOffset`: of the terms before it the last one stays, beginning there.
  package mutating func truncateFromStart(_ startOffset: Offset) {
    guard let first = entries.lastIndex(where: { $0.startOffset <= startOffset }) else { return }
    entries.replaceSubrange(...first, with: [Entry(epoch: entries[first].epoch, startOffset: startOffset)])
  }

  /// The text of `leader-epoch-checkpoint`: "0", how many, then a line `epoch startOffset` each.
  package var checkpoint: String {
    var text = "0\n\(entries.count)\n"
    for entry in entries { text += "\(entry.epoch.value) \(entry.startOffset.value)\n" }
    return text
  }

  /// Reads what `checkpoint` writes; nil for anything else.
  package init?(checkpoint text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 2, lines[0] == "0", let count = Int(lines[1]), count >= 0 else { return nil }
    // The text ends with a line break: one empty piece behind the entries.
    guard lines.count == count + 3 || (lines.count == count + 2 && count == 0), lines.last == "" || count == 0 else {
      return nil
    }
    var entries: [Entry] = []
    for line in lines.dropFirst(2).prefix(count) {
      let words = line.split(separator: " ")
      guard words.count == 2, let epoch = Int32(words[0]), let start = Int64(words[1]), epoch >= 0, start >= 0 else {
        return nil
      }
      entries.append(Entry(epoch: LeaderEpoch(epoch), startOffset: Offset(start)))
    }
    self.init(entries)
  }
}
