package import Effects
package import Primitives

/// New segments on their way to the places of the old ones. The names change on the log's thread, and each step is on the
/// disk before the next begins, so that a start finds either all of the old segments or all of the new ones:
///
/// 1. `.cleaned` becomes `.swap`: once that is on the disk the swap is decided, and a start completes it;
/// 2. the old ones become `.deleted`, and the log reads the new ones;
/// 3. once that is on the disk `.swap` is taken off the names.
struct LogSwap {
  let id: Int
  var step: SwapStep
  let replacements: [(cleaned: CleanedSegment, old: [LogSegment])]
  /// The log is clean up to here when the swap is done.
  let mappedEnd: Offset
  /// The new segments, once the log reads them.
  var segments: [LogSegment] = []

  /// Behind the last segment that is replaced nothing depends on the swap.
  var endOffset: Offset
}

enum SwapStep: Hashable {
  case deciding, replacing
}

/// The sync of a folder that a swap waits for. May be carried to a disk thread, done there with `run`, and brought back to
/// `Log.finishSwap`.
package struct SwapSync: Sendable {
  let directory: String
  let id: Int
  let step: SwapStep

  /// Brings the names in the folder to the disk. Never to be tried again after it failed.
  package func run(_ fileSystem: any FileSystem) throws(IOError) { try fileSystem.syncDirectory(directory) }
}

extension Log {
  /// The sync that a swap waits for; nil when none is under way, or only the next start can go on with it. For an owner that
  /// lost it.
  package var pendingSwap: SwapSync? {
    isFenced ? nil : swap.map { SwapSync(directory: directory, id: $0.id, step: $0.step) }
  }

  func beginSwap(_ id: Int, _ outcome: CleaningOutcome, _ old: [LogSegment]) throws(LogError) -> SwapSync {
    let replacements = outcome.segments.map { (cleaned: $0, old: Array(old[$0.sources])) }
    let last = replacements.last?.old.last.flatMap { segment in segments.firstIndex { $0 === segment } }
    let swap = LogSwap(
      id: id, step: .deciding, replacements: replacements, mappedEnd: outcome.mappedEnd,
      endOffset: last.map { endOffset(of: $0) } ?? outcome.mappedEnd)
    do throws(IOError) {
      for (cleaned, _) in replacements {
        for suffix in LogFileName.segmentSuffixes {
          let path = path(LogFileName.name(cleaned.baseOffset, suffix))
          try environment.fileSystem.rename(path + LogFileName.cleaned, to: path + LogFileName.swap)
        }
      }
    } catch { throw fence(.io(error)) }
    self.swap = swap
    return SwapSync(directory: directory, id: id, step: .deciding)
  }

  /// Takes note of how `SwapSync.run` went, and does the next step of the swap; returns the sync that it waits for then,
  /// nil when the swap is done or nobody knows of it any more. A sync or rename that failed fences the log; not so where
  /// the folder could not be opened for it, for which it throws `.io`: `pendingSwap` may be tried again then.
  @discardableResult
  package func finishSwap(_ sync: SwapSync, failure: IOError?, now: Timestamp) throws(LogError) -> SwapSync? {
    guard let swap, swap.id == sync.id, swap.step == sync.step, !isFenced else { return nil }
    if let failure {
      if failure.isOutOfDescriptors { throw .io(failure) }
      throw fence(.io(failure))
    }
    do throws(IOError) {
      switch swap.step {
      case .deciding: try replaceSegments(swap, now: now)
      case .replacing: try nameReplacements(swap)
      }
    } catch { throw fence(.io(error)) }
    if self.swap == nil { try removeBelowStart(now: now) }
    return pendingSwap
  }

  /// Does all that is left of a swap at once, waiting for the disk: for who is about to change what is swapped.
  func completeSwap(now: Timestamp) throws(LogError) {
    while let sync = pendingSwap {
      do throws(IOError) { try sync.run(environment.fileSystem) } catch { throw fence(.io(error)) }
      try finishSwap(sync, failure: nil, now: now)
    }
  }

  private func replaceSegments(_ swap: LogSwap, now: Timestamp) throws(IOError) {
    var swap = swap
    let due = now.milliseconds.addingReportingOverflow(config.fileDeleteDelayMs)
    let removedFrom = Timestamp(milliseconds: due.overflow ? .max : due.partialValue)
    for (cleaned, old) in swap.replacements {
      guard let first = segments.firstIndex(where: { $0 === old[0] }) else {
        preconditionFailure("the segment at \(cleaned.baseOffset.value) of \(directory) went while it was replaced")
      }
      let segment = replacement(for: old, cleaned)
      for segment in old {
        segment.slots.forEach(environment.handles.close)
        try renameDeleted(segment)
        deletedSegments.append(DeletedSegment(slots: segment.slots, removedFrom: removedFrom))
      }
      segments.replaceSubrange(first..<(first + old.count), with: [segment])
      swap.segments.append(segment)
    }
    sealedIndexes.removeAll { slot in
      swap.replacements.contains { $0.old.contains { $0.slots.contains { $0 === slot } } }
    }
    swapCount += 1
    isChanged = true
    firstDirtyOffset = max(firstDirtyOffset, swap.mappedEnd)
    swap.step = .replacing
    self.swap = swap
  }

  /// The segment that takes the place of `old`, under its name of the swap.
  private func replacement(for old: [LogSegment], _ cleaned: CleanedSegment) -> LogSegment {
    let segment = LogSegment(
      directory: directory, baseOffset: cleaned.baseOffset, jitterMs: old[0].jitterMs, now: old[0].lastAppendTime)
    segment.lastAppendTime = old.map(\.lastAppendTime).max() ?? old[0].lastAppendTime
    segment.firstAppendTime = old[0].firstAppendTime
    segment.firstTimestamp = old[0].firstTimestamp
    segment.byteCount = cleaned.byteCount
    segment.writtenByteCount = cleaned.byteCount
    segment.maxTimestamp = cleaned.maxTimestamp
    segment.offsetOfMaxTimestamp = cleaned.offsetOfMaxTimestamp
    segment.offsetIndex.adopt(cleaned.offsetIndexCount, last: cleaned.lastOffsetEntry)
    segment.timeIndex.adopt(cleaned.timeIndexCount, last: cleaned.lastTimeEntry)
    for slot in segment.slots { slot.path += LogFileName.swap }
    return segment
  }

  private func nameReplacements(_ swap: LogSwap) throws(IOError) {
    for slot in swap.segments.flatMap(\.slots) where slot.path.hasSuffix(LogFileName.swap) {
      let path = String(slot.path.dropLast(LogFileName.swap.count))
      try environment.fileSystem.rename(slot.path, to: path)
      slot.path = path
    }
    // The next flush brings the names to the disk; until then a start does what was done here.
    directoryChanged = true
    self.swap = nil
  }
}
