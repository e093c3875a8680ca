import Effects
import Primitives
import Records

@testable import Storage

/// Whether a log is what its history allows.
struct LogChecks {
  let log: Log
  let history: LogHistory

  private var start: Int64 { log.logStartOffset.value }
  private var end: Int64 { log.logEndOffset.value }

  /// All that can be asked of a log that was just opened.
  func afterOpening() throws {
    try ends()
    try batches()
    try reads()
    try timestamps()
    try producers()
    try leaderEpochs()
  }

  private func ends() throws(Violation) {
    if start == end, history.emptyStarts.contains(start) { return }
    try check(start <= history.startMax, "it begins at \(start), and \(history.startMax) was the start")
    if start == end, history.flushedEnd <= start, start <= history.startMax { return }
    try check(end >= history.flushedEnd, "it ends at \(end), and \(history.flushedEnd) was flushed")
    try check(end <= history.end, "it ends at \(end), and only \(history.end) was appended")
    let isBoundary = end == history.entries.first?.base || history.entries.contains { $0.end == end }
    try check(isBoundary || history.entries.isEmpty, "it ends at \(end), within a batch")
  }

  private func batches() throws {
    var rest = history.visible(from: start, to: end)
    var fault: String?
    try log.scan(from: log.logStartOffset, upTo: log.logEndOffset) { header, batch in
      guard let due = rest.popFirst() else {
        fault = fault ?? "a batch at \(header.baseOffset.value) that is none of the history"
        return
      }
      if !due.bytes.elementsEqual(batch) {
        fault = fault ?? "the batch at \(header.baseOffset.value) is not the one that was appended at \(due.base)"
      }
    }
    if let fault { throw Violation(description: fault) }
    try check(rest.isEmpty, "\(rest.count) batches from \(rest.first?.base ?? -1) on are not there, it ends at \(end)")
  }

  /// A read at every batch's last record finds the batch.
  private func reads() throws {
    for entry in history.visible(from: start, to: end) {
      let slice = try log.read(from: Offset(entry.last), maxBytes: 1, upTo: log.logEndOffset, minOneBatch: true)
      try check(slice.baseOffset.value == entry.base, "a read at \(entry.last) begins at \(slice.baseOffset.value)")
    }
  }

  private func timestamps() throws {
    let visible = history.visible(from: start, to: end)
    for entry in visible.enumerated().filter({ $0.offset % 5 == 0 }).map(\.element) {
      let sought = entry.header.maxTimestamp
      let found = try log.offsetForTimestamp(sought, upTo: log.logEndOffset)
      let due = visible.first { $0.header.maxTimestamp >= sought && $0.last >= start }
      try check(
        found.map { $0.offset.value >= (due?.base ?? 0) && $0.offset.value <= (due?.last ?? 0) } ?? false,
        "the time \(sought.milliseconds) is found at \(found?.offset.value ?? -1), not at \(due?.base ?? -1)")
    }
    guard let largest = visible.filter({ $0.base >= start }).map(\.header.maxTimestamp).max() else { return }
    let found = try log.offsetOfMaxTimestamp(upTo: log.logEndOffset)
    try check(
      found.map { $0.timestamp >= largest } ?? false, "the largest time is not found: \(String(describing: found))")
  }

  /// Every producer that the log remembers is as its last batch left it, and every one in the log is remembered.
  private func producers() throws(Violation) {
    var last: [ProducerID: LogHistory.Entry] = [:]
    for entry in history.entries where entry.last < end && entry.header.producerID.value >= 0 {
      last[entry.header.producerID] = entry
    }
    let states = log.producers.states
    for (id, entry) in last where entry.base >= start {
      try check(states[id] != nil, "producer \(id.value) of the batch at \(entry.base) is forgotten")
    }
    for (id, state) in states {
      guard let entry = last[id] else {
        // Of what was deleted there may be a memory, of what never was there may not.
        try check(
          state.last.map { $0.lastOffset.value < start } ?? true, "producer \(id.value) is none of the history")
        continue
      }
      try check(
        state.epoch == entry.header.producerEpoch && state.lastSequence == entry.header.lastSequence
          && state.last?.lastOffset.value == entry.last,
        "producer \(id.value) is at \(state.epoch.value) \(state.lastSequence), offset \(state.last?.lastOffset.value ?? -1); "
          + "due is \(entry.header.producerEpoch.value) \(entry.header.lastSequence), offset \(entry.last)")
    }
  }

  private func leaderEpochs() throws(Violation) {
    for entry in history.visible(from: start, to: end) where entry.base >= max(start, history.termsFrom) {
      let found = log.leaderEpochs.epoch(at: Offset(entry.base))
      try check(
        found?.value == entry.epoch, "the batch at \(entry.base) is of term \(entry.epoch), not \(found?.value ?? -1)")
    }
    for entry in log.leaderEpochs.entries {
      try check(entry.startOffset.value <= end, "a term that begins at \(entry.startOffset.value), behind \(end)")
    }
  }
}
