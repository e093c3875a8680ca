/// What an operator may set for groups; the defaults are Kafka's.
package struct GroupConfig: Sendable, Equatable {
  /// `group.min.session.timeout.ms`.
  package var minSessionTimeoutMs: Int32
  /// `group.max.session.timeout.ms`.
  package var maxSessionTimeoutMs: Int32
  /// `group.initial.rebalance.delay.ms`: how long a group that was empty waits for more members.
  package var initialRebalanceDelayMs: Int32
  /// `group.max.size`: most members of one group.
  package var groupMaxSize: Int
  /// How long a new member's first JoinGroup may be parked before the member is dropped (a constant in Kafka).
  package var newMemberJoinTimeoutMs: Int32
  /// Most clients of one partition's groups that were given a member id and have not joined with it yet.
  package var pendingMembersMax: Int
  /// `offset.metadata.max.bytes`: longest metadata string of a commit, in UTF-16 units as Kafka counts.
  package var offsetMetadataMaxBytes: Int
  /// `offsets.retention.minutes`, in milliseconds.
  package var offsetsRetentionMs: Int64
  /// `offsets.retention.check.interval.ms`.
  package var offsetsRetentionCheckIntervalMs: Int64
  /// The largest record batch the offsets topic takes: its `max.message.bytes`.
  package var recordBatchMaxBytes: Int

  package init(
    minSessionTimeoutMs: Int32 = 6_000, maxSessionTimeoutMs: Int32 = 1_800_000,
    initialRebalanceDelayMs: Int32 = 3_000, groupMaxSize: Int = Int(Int32.max),
    newMemberJoinTimeoutMs: Int32 = 300_000, pendingMembersMax: Int = 100_000,
    offsetMetadataMaxBytes: Int = 4_096, offsetsRetentionMs: Int64 = 10_080 * 60_000,
    offsetsRetentionCheckIntervalMs: Int64 = 600_000, recordBatchMaxBytes: Int = 1_048_588
  ) {
    self.minSessionTimeoutMs = minSessionTimeoutMs
    self.maxSessionTimeoutMs = maxSessionTimeoutMs
    self.initialRebalanceDelayMs = initialRebalanceDelayMs
    self.groupMaxSize = groupMaxSize
    self.newMemberJoinTimeoutMs = newMemberJoinTimeoutMs
    self.pendingMembersMax = pendingMembersMax
    self.offsetMetadataMaxBytes = offsetMetadataMaxBytes
    self.offsetsRetentionMs = offsetsRetentionMs
    self.offsetsRetentionCheckIntervalMs = offsetsRetentionCheckIntervalMs
    self.recordBatchMaxBytes = recordBatchMaxBytes
  }
}
