internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives
internal import Replication
internal import Storage

/// Replicas that catch up may be held back, so that they disturb nobody (KIP-73): at the leader, which leaves their records
/// out of an answer, and at the follower, which does not ask.
///
/// The rates are of the broker. Shards share nothing, so each has its equal part of them.
struct Throttling {
  var leader: ReplicationQuota
  var follower: ReplicationQuota

  init(now: Instant) {
    leader = ReplicationQuota(bytesPerSecond: nil, now: now)
    follower = ReplicationQuota(bytesPerSecond: nil, now: now)
  }
}

extension Shard {
  /// Takes the rates over from the configuration.
  func limitReplication() {
    throttling.leader.limit(to: shardPart(of: config.leaderReplicationThrottledRate), now: now)
    throttling.follower.limit(to: shardPart(of: config.followerReplicationThrottledRate), now: now)
  }

  private func shardPart(of rate: Int64) -> Int64? {
    if rate == .max { return nil }
    return rate == 0 ? 0 : max(1, rate / Int64(count))
  }

  // MARK: the leader's side, where the follower's connection is

  /// Whether a follower's fetch gets nothing of a partition now.
  func isHeldBack(_ partition: FetchSession.Partition, for follower: BrokerID) -> Bool {
    isThrottled(partition, for: follower) && throttling.leader.isUsedUp(now: now)
  }

  /// A follower has been sent so much of a partition.
  func noteSent(_ byteCount: Int, of partition: FetchSession.Partition, to follower: BrokerID) {
    if byteCount > 0, isThrottled(partition, for: follower) { throttling.leader.record(byteCount, now: now) }
  }

  /// Who is in sync is neither held back nor counted: it would fall out of sync, and every acks=all would wait for it.
  private func isThrottled(_ partition: FetchSession.Partition, for follower: BrokerID) -> Bool {
    guard throttling.leader.bytesPerSecond != nil, let topic = topicsByID[partition.topicID],
      topic.throttledLeaders.contains(partition.partition, on: brokerID)
    else { return false }
    return image.topic(id: partition.topicID)?.partition(partition.partition)?.isr.contains(follower) != true
  }

  // MARK: the follower's side

  /// Whether a partition is not to be fetched now: it is throttled, behind its leader, and the rate is used up.
  func isHeldBack(_ hosted: HostedPartition) -> Bool {
    hosted.isBehindLeader && isFollowerThrottled(hosted) && throttling.follower.isUsedUp(now: now)
  }

  /// So much of a partition has been fetched, and its leader's high watermark is that.
  func noteFetched(_ byteCount: Int, of hosted: HostedPartition, leaderHighWatermark: Offset) {
    if byteCount > 0, hosted.isBehindLeader, isFollowerThrottled(hosted) {
      throttling.follower.record(byteCount, now: now)
    }
    hosted.isBehindLeader = hosted.partition.log.logEndOffset < leaderHighWatermark
  }

  private func isFollowerThrottled(_ hosted: HostedPartition) -> Bool {
    throttling.follower.bytesPerSecond != nil
      && hosted.partition.config.throttledFollowers.contains(
        hosted.partition.topicPartition.partition, on: brokerID)
  }
}
