package import Primitives
package import Storage

/// Copying the leader's log.
///
/// Each fetch tells the term of the follower's last record, and the leader answers where the histories part: that is how
/// every term begins, also a new one of the same leader, and nothing of an answer to another term is used. A follower cuts
/// before it appends, and before it believes a high watermark.
extension Partition {
  /// From where to fetch. What this broker has must be on the disk before, where it has to be: a fetch at an offset promises
  /// all below it. After a cut that includes its checkpoint (`Log.unnotedCut`).
  package var fetchReadiness: FetchReadiness {
    guard let following, log.takesAppends else { return .notNow }
    guard safeEndOffset == log.logEndOffset else { return .afterFlush }
    var epoch = log.latestEpoch
    #if DEBUG
      if !following.comparesHistories || mutation == .truncateToHighWatermark { epoch = .none }
    #endif
    return .at(
      FetchPosition(offset: log.logEndOffset, lastFetchedEpoch: epoch, logStartOffset: log.logStartOffset))
  }

  /// What came of a fetched piece of the leader's log.
  package struct Followed: Hashable, Sendable {
    /// Whether records were appended: they are in the file, and where they must be flushed, that is to be done before the
    /// next fetch (`waitsForFlush`).
    package var hasAppended = false
    /// Whether consumers that read here may see more.
    package var highWatermarkAdvanced = false
    /// Whether the log now begins later.
    package var logStartAdvanced = false
    /// Where the log was cut, if it was.
    package var truncation: Truncation?
  }

  /// A cut, to agree with the leader.
  package struct Truncation: Hashable, Sendable {
    /// Where the log ended before, and ends now.
    package let from: Offset
    package let to: Offset
    /// Whether records went that had been safe: only after an unclean election, or when a machine lost what it had promised.
    package let isBelowHighWatermark: Bool
  }

  /// Appends the leader's batches as they are, and takes its marks. `leaderEpoch` and `position` are those of the request;
  /// an answer to another term or position than the present one changes nothing. `records` may end with a part of a batch.
  ///
  /// - Throws: `.corrupt` where the batches do not fit the log or their checksums; what `Log.append` throws.
  package func appendFetched(
    _ records: UnsafeRawBufferPointer, leaderEpoch: LeaderEpoch, fetchOffset: Offset, highWatermark: Offset,
    logStartOffset: Offset, now: Timestamp
  ) throws(LogError) -> Followed {
    var followed = Followed()
    guard following != nil, leaderEpoch == self.leaderEpoch, fetchOffset == log.logEndOffset else { return followed }
    followed.hasAppended = try log.appendFetched(records, leaderEpoch: leaderEpoch, now: now)
    followed.highWatermarkAdvanced = takeLeaderHighWatermark(highWatermark)
    followed.logStartAdvanced = try takeLeaderLogStart(logStartOffset, now: now)
    return followed
  }

  /// Takes the leader's high watermark, as far as this log goes. Returns whether there is more than before.
  func takeLeaderHighWatermark(_ mark: Offset) -> Bool {
    let reached = min(mark, log.writtenEndOffset)
    guard reached > highWatermark else { return false }
    highWatermark = reached
    return true
  }

  private func takeLeaderLogStart(_ start: Offset, now: Timestamp) throws(LogError) -> Bool {
    guard start > log.logStartOffset, start <= highWatermark else { return false }
    try log.deleteRecords(before: start, now: now)
    return true
  }

  /// Cuts the log to agree with the leader, whose log has the term `epoch` up to `endOffset`, and no later one that this
  /// broker has seen before that. The next fetch asks again: more may have to go. nil for an answer to another term.
  package func truncate(
    toAgreeWith epoch: LeaderEpoch, endOffset: Offset, leaderEpoch: LeaderEpoch, now: Timestamp
  ) throws(LogError) -> Truncation? {
    guard following != nil, leaderEpoch == self.leaderEpoch else { return nil }
    let own = log.endOffset(for: epoch)
    let known = own.endOffset.value >= 0 ? own.endOffset : log.logEndOffset
    return try cut(to: max(.zero, min(known, endOffset, log.logEndOffset)), now)
  }

  /// The leader has nothing at this log's end (OFFSET_OUT_OF_RANGE); its log begins at `leaderStart`. A log that is empty,
  /// or ends before that, starts anew there. Any other stays as it is: nil.
  package func restart(
    at leaderStart: Offset, leaderEpoch: LeaderEpoch, now: Timestamp
  ) throws(LogError) -> Truncation? {
    guard following != nil, leaderEpoch == self.leaderEpoch, leaderStart.value >= 0 else { return nil }
    guard log.logEndOffset < leaderStart || log.logEndOffset == log.logStartOffset else { return nil }
    let before = log.logEndOffset
    let wasSafe = highWatermark
    try log.restart(at: leaderStart, now: now)
    highWatermark = leaderStart
    return Truncation(from: before, to: leaderStart, isBelowHighWatermark: wasSafe > leaderStart)
  }

  private func cut(to offset: Offset, _ now: Timestamp) throws(LogError) -> Truncation {
    let before = log.logEndOffset
    let wasSafe = highWatermark
    try log.truncate(to: offset, now: now)
    log.forgetEmptyLeaderEpochs()
    highWatermark = min(highWatermark, log.logEndOffset)
    return Truncation(from: before, to: log.logEndOffset, isBelowHighWatermark: log.logEndOffset < wasSafe)
  }

  #if DEBUG
    /// See `Mutation.truncateToHighWatermark`: what followers did before KIP-101 when they began to follow.
    package func truncateToHighWatermark(now: Timestamp) throws(LogError) {
      guard mutation == .truncateToHighWatermark, following != nil else { return }
      _ = try cut(to: highWatermark, now)
    }
  #endif
}
