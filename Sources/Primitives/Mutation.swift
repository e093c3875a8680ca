#if DEBUG
  /// A bug of the past, put back into a test build to see that the checkers find it. Handed in by value by whoever makes
  /// the part that is to have it; release builds know none.
  package enum Mutation: String, Sendable, CaseIterable {
    /// A follower cuts its log to its high watermark, not by leader epochs (before KIP-101).
    case truncateToHighWatermark
    /// A new term of the same leader does not make the follower compare histories (KAFKA-7164).
    case skipTruncationIfLeaderUnchanged
    /// A replica joins the isr without having reached the start of the leader's term (KAFKA-7128).
    case joinWithoutEpochStart
    /// The leader counts the committed isr only, while a larger one may be committed already (KIP-497).
    case highWatermarkOverCommittedIsr
    /// A follower takes the leader's high watermark before it has cut off what the leader does not have (KAFKA-14704).
    case highWatermarkBeforeTruncation
    /// The leader goes on with what it knew of a follower in an earlier term, or before the follower was a replica.
    case keepFollowerStateOnReAdd
    /// With durability=fsync, what is written counts as what is on the disk.
    case acknowledgeBeforeFlush
    /// The high watermark advances with fewer replicas in sync than min.insync.replicas (KAFKA-15583).
    case highWatermarkBelowMinIsr
    /// A replica is taken into the isr though its broker has started anew since it caught up (KIP-903).
    case staleBrokerEpochJoins
    /// The controller lets the first living replica lead, in sync or not.
    case cleanElectionIgnoresIsr
    /// A broker that was started anew keeps its place in every isr, and what it led (KIP-380, KAFKA-7235).
    case restartKeepsIsr
    /// A controller's writes do not check that its election is the last one (KAFKA-6082).
    case appendWithoutEpochCheck
    /// A write of the metadata log whose answer got lost counts as one that was not done.
    case ambiguousAppendIsFailure
    /// A group coordinator answers before it has read what was committed (KAFKA-9307).
    case coordinatorServesBeforeLoaded
    /// A group coordinator reads the first segment of its log, and no other (KAFKA-5600).
    case loaderStopsAtFirstSegment
    /// A flush that failed counts as done, as if it had gone well the second time.
    case retriedFsync

    /// Those that live in a single partition and its fetcher; the others take a whole broker, or a cluster.
    package static var ofReplication: [Mutation] {
      [
        .truncateToHighWatermark, .skipTruncationIfLeaderUnchanged, .joinWithoutEpochStart,
        .highWatermarkOverCommittedIsr, .highWatermarkBeforeTruncation, .keepFollowerStateOnReAdd,
        .acknowledgeBeforeFlush, .highWatermarkBelowMinIsr, .staleBrokerEpochJoins,
      ]
    }
  }
#endif
