internal import Primitives
internal import Records

/// What a cleaning goes by when it looks at one batch.
struct CleaningRules: Sendable {
  let hasher: KeyHasher
  /// The broker's clock when the cleaning was begun.
  let now: Timestamp
  /// Until when tombstones stay that are seen for the first time.
  let deleteHorizon: Timestamp
  /// The last offset of the newest batch of each producer that is remembered.
  let lastOffsets: [ProducerID: Offset]

  init(hasher: KeyHasher, now: Timestamp, deleteRetentionMs: Int64, lastOffsets: [ProducerID: Offset]) {
    self.hasher = hasher
    self.now = now
    let (horizon, isTooLate) = now.milliseconds.addingReportingOverflow(deleteRetentionMs)
    deleteHorizon = Timestamp(milliseconds: isTooLate ? .max : horizon)
    self.lastOffsets = lastOffsets
  }

  /// Whether a start that has no snapshot learns from this batch which sequence its producer sent last.
  func holdsLastSequence(_ header: RecordBatchHeader) -> Bool {
    header.producerID.value >= 0 && lastOffsets[header.producerID] == header.lastOffset
  }
}
