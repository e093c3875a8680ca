package import Configuration

/// What a log has to know of its topic's configuration. Times in milliseconds; -1 is no limit for the retentions.
package struct LogConfig: Sendable, Equatable {
  /// `segment.bytes`: a segment rolls before it would grow beyond.
  package var segmentBytes: Int
  /// `segment.ms`: a segment rolls when its first record is this old.
  package var segmentMs: Int64
  /// `segment.jitter.ms`: at most this much is taken off `segmentMs`, differently for each segment.
  package var segmentJitterMs: Int64
  /// `index.interval.bytes`: bytes of log between two index entries.
  package var indexIntervalBytes: Int
  /// `segment.index.bytes`: a segment rolls when an index is this large.
  package var segmentIndexBytes: Int
  /// `retention.ms`; -1 keeps for ever.
  package var retentionMs: Int64
  /// `retention.bytes`; -1 keeps everything.
  package var retentionBytes: Int64
  /// `file.delete.delay.ms`: how long a deleted segment's files stay under their `.deleted` names.
  package var fileDeleteDelayMs: Int64
  /// `preallocate`: reserve the blocks of a whole segment when it is made.
  package var preallocate: Bool
  /// `cleanup.policy` holds `compact`: of each key the newest record stays.
  package var isCompacted: Bool

  package init(
    segmentBytes: Int = 1 << 30, segmentMs: Int64 = 604_800_000, segmentJitterMs: Int64 = 0,
    indexIntervalBytes: Int = 4096, segmentIndexBytes: Int = 10 << 20, retentionMs: Int64 = 604_800_000,
    retentionBytes: Int64 = -1, fileDeleteDelayMs: Int64 = 60_000, preallocate: Bool = false,
    isCompacted: Bool = false
  ) {
    self.segmentBytes = segmentBytes
    self.segmentMs = segmentMs
    self.segmentJitterMs = segmentJitterMs
    self.indexIntervalBytes = indexIntervalBytes
    self.segmentIndexBytes = segmentIndexBytes
    self.retentionMs = retentionMs
    self.retentionBytes = retentionBytes
    self.fileDeleteDelayMs = fileDeleteDelayMs
    self.preallocate = preallocate
    self.isCompacted = isCompacted
  }
}

extension LogConfig {
  /// What a topic's effective configuration says of its logs. A topic that is compacted only has no retention.
  package init(_ topic: TopicConfig) {
    let isDeleted = topic.cleanupPolicy.contains(.delete)
    self.init(
      segmentBytes: Int(topic.segmentBytes), segmentMs: topic.segmentMs, segmentJitterMs: topic.segmentJitterMs,
      indexIntervalBytes: Int(topic.indexIntervalBytes), segmentIndexBytes: Int(topic.segmentIndexBytes),
      retentionMs: isDeleted ? topic.retentionMs : -1, retentionBytes: isDeleted ? topic.retentionBytes : -1,
      fileDeleteDelayMs: topic.fileDeleteDelayMs, preallocate: topic.preallocate,
      isCompacted: topic.cleanupPolicy.contains(.compact))
  }
}
