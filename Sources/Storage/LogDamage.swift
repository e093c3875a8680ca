internal import Effects
package import Primitives
internal import Records

/// Damage that is found while the log is in use: from then on it is known, reported once, and not served.
extension Log {
  /// A batch that `read` was to bring into memory is not what was once written. Returns the offsets that cannot be read;
  /// nil where the log has been cut since, or the place is gone or known already.
  @discardableResult
  package func noteDamage(_ damage: ColdRead.Damage, foundBy read: ColdRead) throws(LogError) -> Range<Offset>? {
    guard read.cutCount == cutCount, read.swapCount == swapCount,
      let segment = segments.first(where: { $0.baseOffset == read.segmentBaseOffset })
    else { return nil }
    return try noteDamage(
      in: segment, at: damage.position, reason: damage.reason, walkingFrom: read.range.position, read.baseOffset)
  }

  /// The same for damage at `position`, where sound batches lead from the one at `start`, of `startOffset`, to it.
  @discardableResult
  func noteDamage(
    in segment: LogSegment, at position: Int64, reason: String, walkingFrom start: Int64, _ startOffset: Offset
  ) throws(LogError) -> Range<Offset>? {
    guard position < segment.writtenByteCount,
      !segment.damages.contains(where: { $0.position <= position && position < $0.end })
    else { return nil }
    var due = startOffset
    try segment.forEachHeader(from: start, to: position, environment) { header, _ in
      due = header.nextOffset
      return true
    }
    let number = segmentNumber(of: segment.baseOffset)
    let end = endOffset(of: number)
    let next = try segment.intactBatch(
      behind: position, least: due, limit: nil, to: segment.writtenByteCount, isFollowed: true, environment)
    let range = DamagedRange(
      position: position, end: next?.position ?? segment.writtenByteCount, firstOffset: due,
      endOffset: max(due, next?.baseOffset ?? end), reason: reason)
    let place = segment.damages.firstIndex { $0.position > position } ?? segment.damages.count
    segment.damages.insert(range, at: place)
    environment.log?(
      .damagedBatch(
        topicPartition, path: segment.log.path, position: position, offsets: range.offsets, reason: reason))
    return range.offsets
  }
}
