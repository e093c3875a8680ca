package import Effects
package import Primitives
internal import Records

/// What all logs of one shard share: the disk, the open files, scratch memory, and where noteworthy events go.
package struct LogEnvironment {
  package let fileSystem: any FileSystem
  package let handles: FileHandleCache
  /// Told of what a log did by itself: truncated a torn tail, rebuilt an index, ignored a damaged snapshot.
  package let log: ((LogEvent) -> Void)?
  /// Producers that one log remembers at most.
  package let producerCountMax: Int
  /// For looking at a few headers. Whoever is shown one may use an index meanwhile, but not look at other headers.
  let headerScratch = ScratchBuffer()
  /// For index entries; never held across a call to somebody else.
  let indexScratch = ScratchBuffer()
  /// For walking whole batches: one for each walk that is under way.
  let batchScratches = ScratchBuffers()
  let pendingBuffers = PendingBuffers()
  let decompressor = Decompressor()

  package init(
    fileSystem: any FileSystem, handles: FileHandleCache, producerCountMax: Int = 100_000,
    log: ((LogEvent) -> Void)? = nil
  ) {
    self.fileSystem = fileSystem
    self.producerCountMax = producerCountMax
    self.handles = handles
    self.log = log
  }
}

extension LogEnvironment {
  /// Replaces a small file without waiting for the disk: for hints, which their readers check. Written first and then cut
  /// if it became shorter: cutting to nothing first costs some file systems a journal write, and all a window without it.
  func writeUnsynced(_ path: String, _ bytes: [UInt8]) throws(IOError) {
    let file = try fileSystem.open(path, .readWrite)
    let size = try file.size()
    let buffer = OutputBuffer(capacity: max(1, bytes.count))
    buffer.append(bytes)
    try file.write(buffer.bytes, at: 0)
    if size > Int64(bytes.count) { try file.truncate(to: Int64(bytes.count)) }
  }
}

/// The buffers in which logs gather the appends of one turn: taken at the first append, given back at the write, so that
/// ten thousand idle partitions hold none.
final class PendingBuffers {
  private var free: [OutputBuffer] = []
  private static let freeMax = 64

  func take() -> OutputBuffer { free.popLast() ?? OutputBuffer(capacity: 4096) }

  func giveBack(_ buffer: OutputBuffer) {
    buffer.removeAll()
    if free.count < Self.freeMax { free.append(buffer) }
  }
}

/// Something a log did by itself that an operator wants to read about.
package enum LogEvent: Hashable, Sendable {
  /// Bytes behind the last whole batch were cut off.
  case truncatedTail(TopicPartition, path: String, byteCount: Int64, reason: String)
  /// A batch before the tail of the log is damaged. It stays in its file: who reads there is told, all else goes on.
  case damagedBatch(TopicPartition, path: String, position: Int64, offsets: Range<Offset>, reason: String)
  /// The offsets from `from` up to `to` are in no segment: the file before them is shorter than it was, or empty. Reads
  /// go on at `to`.
  case missingOffsets(TopicPartition, path: String, from: Offset, to: Offset)
  /// What had to leave the log was not worthless: it was copied, or renamed, to `path`.
  case keptDamagedBytes(TopicPartition, path: String, byteCount: Int64)
  /// Segments without a byte, behind a torn one, were removed.
  case removedSegments(TopicPartition, count: Int, firstBaseOffset: Offset)
  /// The indexes of a segment were missing or damaged and were made anew from the log.
  case rebuiltIndexes(TopicPartition, path: String)
  /// A producer snapshot or checkpoint was damaged and is not used.
  case ignoredDamagedFile(TopicPartition, path: String, reason: String)
  /// Cleaned segments that a stop had kept from their places took them.
  case completedSwap(TopicPartition, segmentCount: Int)
  /// A segment was closed and the next begun.
  case rolled(TopicPartition, baseOffset: Offset)
  /// A write found no room. It was taken back, and the log takes no appends until there is some.
  case stalled(TopicPartition, IOError)
  /// A write or sync failed; the log takes no more appends.
  case fenced(TopicPartition, IOError)
}

/// How much an opening log trusts its files.
package struct LogRecoveryMode: Hashable, Sendable {
  /// Batches at and behind this offset are checked one by one; nil trusts everything.
  let checkedFrom: Offset?
  /// What lies there or behind it was never flushed, or nobody noted it yet: it is torn where it is not whole. Zero speaks
  /// of the whole log, wherever that begins; nil where nobody knows, and damage may be of what was flushed.
  let tornFrom: Offset?
  /// Whether what was found at the start has been brought to the disk before any log is opened, all of it at once.
  var isSynced = false

  /// The log was closed in order: sizes and indexes are believed.
  package static let clean = LogRecoveryMode(checkedFrom: nil, tornFrom: nil)
  /// Every batch of every segment is checked: nothing is known of what was flushed.
  package static let unclean = LogRecoveryMode(checkedFrom: .zero, tornFrom: nil)
  /// The log was flushed up to `recoveryPoint` (Kafka's recovery-point-offset-checkpoint): the last segment is
  /// checked, and of the others those that reach to it. Segments wholly below are trusted as after a clean stop. Zero is
  /// a log that is known to have nothing flushed: all of it is checked, and it ends where it is not whole. nil, or what
  /// no log can have, says no more than `unclean`.
  ///
  /// - Parameter isSynced: whether the owner has synced the whole file system since the stop, and does so again before it
  ///   lets anybody append: opening need not sync what it finds, log by log.
  package static func unclean(recoveryPoint: Offset?, isSynced: Bool = false) -> LogRecoveryMode {
    let known = recoveryPoint.flatMap { $0 >= .zero ? $0 : nil }
    return LogRecoveryMode(checkedFrom: known ?? .zero, tornFrom: known, isSynced: isSynced)
  }
}

/// What opening a log found and mended.
package struct RecoveryReport: Hashable, Sendable {
  /// Bytes behind the last whole, valid batch that were cut off.
  package var truncatedBytes: Int64 = 0
  package var removedSegments = 0
  /// Damaged places before the tail, which stay.
  package var damagedBatches = 0
  package var rebuiltIndexes = 0
  /// Bytes whose checksums were verified.
  package var checkedBytes: Int64 = 0
}
