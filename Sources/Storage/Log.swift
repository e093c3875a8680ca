package import Effects
package import Primitives

/// One partition's log on this broker's disk, in Kafka's own files: a row of segments of which the last takes appends.
///
/// One owner, one thread. Offsets are given at `append`; the bytes reach the file at `writePending`, once a turn of the
/// event loop, and may be read from then on.
package final class Log {
  package let directory: String
  package let topicPartition: TopicPartition
  package let topicID: UUID
  /// May be changed at any time; it holds from the next append on.
  package var config: LogConfig
  /// The first offset a reader may ask for.
  package internal(set) var logStartOffset: Offset
  /// The offset the next record gets: appends that wait for their write are counted.
  package internal(set) var logEndOffset: Offset
  /// Everything below is in the file and may be read.
  package internal(set) var writtenEndOffset: Offset
  /// Everything below is on the disk, as far as `flush` knows.
  package internal(set) var recoveryPoint: Offset
  /// Whose term wrote what.
  package internal(set) var leaderEpochs = LeaderEpochs()
  /// Idempotent and transactional producers.
  package let producers: ProducerStateTable
  /// What opening found and mended.
  package internal(set) var recovered = RecoveryReport()
  /// Whether a write or a sync failed: no append until the log is opened again.
  package internal(set) var isFenced = false
  /// Why a write found no room: no append until `resume`. What it had begun has been taken back.
  package internal(set) var stalled: IOError?

  /// The terms that opening found could not be written down: what a sync of the whole file system brings to the disk does not
  /// tell them, so the recovery point has to wait for a flush.
  var areOpenedTermsUnwritten = false

  let environment: LogEnvironment
  /// Never empty; the base offsets grow.
  var segments: [LogSegment]
  var active: LogSegment
  var recent = RecentBatches()
  /// The batches of this turn; taken from the environment at the first one.
  var pending: OutputBuffer?
  /// The file they go to, held since the first of them: writing them must not depend on opening it again.
  var pendingFile: (any File)?
  /// Whether `leaderEpochs` differs from its checkpoint.
  var leaderEpochsChanged = false
  /// Whether that checkpoint was written and not yet synced.
  var leaderEpochsUnsynced = false
  /// The term of the last batch that recovery saw in the active segment; -1 when that is empty.
  var recoveredEpoch = LeaderEpoch.none
  /// The first offset before the end that recovery found missing or damaged after an unclean stop.
  var firstLostOffset: Offset?
  /// Whether names in the folder changed since it was last synced.
  var directoryChanged = false
  /// Whether something was appended, rolled, cut or deleted since the log was opened, or opening it had to walk batches.
  var isChanged = false
  /// The indexes of segments that were closed since the last flush: they are trusted, unlike those of the active segment,
  /// once the recovery point is behind them.
  var sealedIndexes: [FileSlot] = []
  /// Whether the folder itself, and its `partition.metadata`, are new and were never synced.
  var isNew = false
  /// Where the log ended when it was opened: what a sync of the whole file system has brought to the disk since.
  var openedEndOffset = Offset.zero
  /// Bytes of batches written since the log was opened, and how many of them a flush has seen.
  var writtenBytes: Int64 = 0
  var flushedBytes: Int64 = 0
  /// The ends of the log at which producer snapshots were written between rolls.
  var checkpointSnapshots: [Offset] = []
  /// How often the log was cut: a flush begun before a cut says nothing of what came after.
  var cutCount = 0
  /// The last cut that reached below what was flushed, while the recovery-point-offset-checkpoint may say more than is so.
  /// Its owner writes `recoveryPoint` there and says `noteCutWritten`; `recoveryPoint` stays until then.
  package internal(set) var unnotedCut: Int?
  /// What the recovery point is to become then.
  var heldRecoveryPoint = Offset.zero
  /// Everything below was compared with everything else by a cleaning: what `cleaner-offset-checkpoint` keeps. Means
  /// nothing where the log is not compacted.
  package internal(set) var firstDirtyOffset = Offset.zero
  /// The cleaning that is under way, and the swap behind one. They exclude each other.
  var begunCleaning: BegunCleaning?
  var swap: LogSwap?
  /// How many cleanings were begun.
  var cleaningCount = 0
  /// How often cleaned segments took the places of others: what was found out about the old ones means nothing then.
  var swapCount = 0
  /// Segments whose files wait, renamed, for their end.
  var deletedSegments: [DeletedSegment] = []

  /// More than this is not gathered in memory: the turn's appends are then written at once.
  static let pendingByteCountMax = 256 << 10
  /// Batches from this size on go to the file straight from the caller's memory.
  static let directWriteByteCount = 8 << 10

  init(
    directory: String, topicPartition: TopicPartition, topicID: UUID, config: LogConfig, environment: LogEnvironment,
    segments: [LogSegment], active: LogSegment
  ) {
    self.directory = directory
    self.topicPartition = topicPartition
    self.topicID = topicID
    self.config = config
    self.environment = environment
    self.segments = segments
    self.active = active
    logStartOffset = segments.first?.baseOffset ?? active.baseOffset
    logEndOffset = active.baseOffset
    writtenEndOffset = active.baseOffset
    recoveryPoint = logStartOffset
    producers = ProducerStateTable(producerCountMax: environment.producerCountMax)
  }

  /// Bytes of all batches, those that wait for their write included.
  package var sizeBytes: Int64 { segments.reduce(0) { $0 + $1.byteCount } }

  /// How many segments there are.
  package var segmentCount: Int { segments.count }

  /// Whether there are appends that `writePending` has to write.
  package var hasPending: Bool { pending != nil }

  /// Whether the log takes records: its disk has neither failed nor filled up.
  package var takesAppends: Bool { !isFenced && stalled == nil }

  /// Bytes in the file that no flush has seen yet.
  package var unflushedBytes: Int64 { writtenBytes - flushedBytes }

  /// Records in the file that are not known to be on the disk.
  package var unflushedRecordCount: Int64 { writtenEndOffset.value - recoveryPoint.value }

  /// Whether anything in the file is not known to be on the disk.
  package var isUnflushed: Bool { recoveryPoint < writtenEndOffset }

  /// The term of a leader begins where the log ends now, if it is a newer one.
  package func beginLeaderEpoch(_ epoch: LeaderEpoch) {
    guard epoch > leaderEpochs.latest else { return }
    leaderEpochs.assign(epoch, from: logEndOffset)
    leaderEpochsChanged = true
  }

  /// Where the term of `epoch` ends here: OffsetForLeaderEpoch. (-1, -1) when it is unknown.
  package func endOffset(for epoch: LeaderEpoch) -> (epoch: LeaderEpoch, endOffset: Offset) {
    leaderEpochs.endOffset(for: epoch, logEndOffset: logEndOffset)
  }

  func path(_ name: String) -> String { directory + "/" + name }

  /// The offset behind the last one that `segment` may hold.
  func endOffset(of segmentNumber: Int) -> Offset {
    segmentNumber + 1 < segments.count ? segments[segmentNumber + 1].baseOffset : writtenEndOffset
  }

  /// The number of the segment that may hold `offset`: the last one that does not begin behind it, or the first.
  func segmentNumber(of offset: Offset) -> Int {
    if offset >= active.baseOffset { return segments.count - 1 }
    var low = 0
    var high = segments.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if segments[middle].baseOffset <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// Nothing can be said any more of what lies behind `writtenEndOffset`.
  func fence(_ error: LogError) -> LogError {
    dropPending()
    logEndOffset = writtenEndOffset
    active.byteCount = active.writtenByteCount
    if !isFenced, case .io(let cause) = error { environment.log?(.fenced(topicPartition, cause)) }
    isFenced = true
    return error
  }

  /// The disk that holds the log has failed elsewhere: nothing is promised of this log any more either.
  package func fence() {
    guard !isFenced else { return }
    dropPending()
    logEndOffset = writtenEndOffset
    active.byteCount = active.writtenByteCount
    isFenced = true
  }
}

/// A segment whose files were renamed and are removed later.
struct DeletedSegment {
  let slots: [FileSlot]
  let removedFrom: Timestamp
}
