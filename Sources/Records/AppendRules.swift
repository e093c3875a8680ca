import Primitives

/// What the topic and the request allow a producer to append; `BatchValidator` holds batches to it.
package struct AppendRules: Hashable, Sendable {
  /// Whose clock the timestamps of a topic are: `message.timestamp.type`.
  package enum TimestampType: Sendable {
    case create
    case logAppend
  }

  /// `max.message.bytes`: the largest batch, compressed, with its header.
  package var maxMessageBytes: Int32
  /// Whether `cleanup.policy` has compact: records must then have keys.
  package var isCompacted: Bool
  package var timestampType: TimestampType
  /// `message.timestamp.before.max.ms`: how far a producer's timestamp may lie in the past.
  package var beforeMaxMs: Int64
  /// `message.timestamp.after.max.ms`: how far a producer's timestamp may lie in the future.
  package var afterMaxMs: Int64
  /// `compression.type`; nil for `producer`, which keeps what the producer chose.
  package var targetCompression: CompressionType?
  /// The level for `targetCompression`; nil for the codec's default.
  package var level: Int32?
  /// Most bytes that the records of a batch may decompress to.
  package var decompressedBytesMax: Int
  /// The version of the Produce request.
  package var produceVersion: Int16

  package init(
    maxMessageBytes: Int32 = 1_048_588, isCompacted: Bool = false, timestampType: TimestampType = .create,
    beforeMaxMs: Int64 = .max, afterMaxMs: Int64 = 3_600_000, targetCompression: CompressionType? = nil,
    level: Int32? = nil, decompressedBytesMax: Int = 128 << 20, produceVersion: Int16
  ) {
    self.maxMessageBytes = maxMessageBytes
    self.isCompacted = isCompacted
    self.timestampType = timestampType
    self.beforeMaxMs = beforeMaxMs
    self.afterMaxMs = afterMaxMs
    self.targetCompression = targetCompression
    self.level = level
    self.decompressedBytesMax = decompressedBytesMax
    self.produceVersion = produceVersion
  }

  /// The timestamps a producer may set, seen from `now`: all of them where the log's clock counts anyway.
  func timestamps(at now: Timestamp) -> ClosedRange<Int64> {
    guard timestampType == .create else { return .min ... .max }
    let (lowest, under) = now.milliseconds.subtractingReportingOverflow(max(beforeMaxMs, 0))
    let (highest, over) = now.milliseconds.addingReportingOverflow(max(afterMaxMs, 0))
    return (under ? .min : lowest)...(over ? .max : highest)
  }
}
