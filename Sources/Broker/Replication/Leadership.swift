internal import Configuration
internal import Effects
internal import Primitives
internal import Replication

/// Whether this broker still leads a partition, asked of those who could lead in its place.
///
/// A leader that the cluster has given up may not hear of it: it is cut off, or stood still. What it takes in is never acknowledged
/// at acks=all, but what it tells may be old. Without this:
///
///     old leader       | new leader                  | who asks
///     cut off          | elected, loads the offsets  |
///                      | commits offset 9            |
///                      |                             | asks the old leader, and is told 5
///
/// So whoever must not be told what is old waits for one more fetch of each replica that could have been elected: one that was
/// sent after the question came. A replica that leads does not fetch. Which fetch was sent after a time is known where the answer
/// before it, on the same connection, was sent after that: brokers send one fetch at a time.
struct LeadershipWait {
  let askedAt: Instant
  let deadline: Instant
  let then: (_ leads: Bool) -> Void
}

extension Shard {
  /// A member of the isr that died holds the answer up until its session is over and it has left the isr. That is worth waiting
  /// for, but no longer than clients do: there are some (librdkafka issue 5586) that take a second error for the end.
  private var leadershipWaitMsMax: Int64 { min(25_000, Int64(startConfig.zookeeperSessionTimeoutMs) + 2000) }

  /// Calls `then` when it is known that this broker leads the partition now, or that this cannot be known.
  func whenStillLeading(_ hosted: HostedPartition, then: @escaping (_ leads: Bool) -> Void) {
    // Not the time of the turn: who asks may have done so after the turn had begun.
    let askedAt = environment.time.now()
    if hosted.partition.hasLed(at: askedAt) { return then(true) }
    guard hosted.partition.isLeader else { return then(false) }
    let deadline = now.advanced(byMilliseconds: leadershipWaitMsMax)
    hosted.leadershipWaits.append(LeadershipWait(askedAt: askedAt, deadline: deadline, then: then))
    timers.schedule(.leadership(hosted.place), at: deadline)
    // Those that wait here are answered, and fetch again.
    wakeFollowers(hosted)
  }

  /// Whether a follower's fetch is to be answered at once, for its next one is waited for.
  func isAwaited(_ replica: BrokerID, _ hosted: HostedPartition) -> Bool {
    hosted.leadershipWaits.contains { hosted.partition.mustFollow(replica, since: $0.askedAt) }
  }

  /// A follower has fetched, or the isr or the role is another, or time has passed.
  func settleLeadershipWaits(_ hosted: HostedPartition) {
    guard !hosted.leadershipWaits.isEmpty else { return }
    guard hosted.partition.isLeader else { return failLeadershipWaits(hosted) }
    let waits = hosted.leadershipWaits
    hosted.leadershipWaits = []
    for wait in waits {
      if hosted.partition.hasLed(at: wait.askedAt) {
        wait.then(true)
      } else if wait.deadline <= now {
        wait.then(false)
      } else {
        hosted.leadershipWaits.append(wait)
      }
    }
  }

  /// Nobody here can say any more who leads.
  func failLeadershipWaits(_ hosted: HostedPartition) {
    let waits = hosted.leadershipWaits
    hosted.leadershipWaits = []
    for wait in waits { wait.then(false) }
  }

  func leadershipTimerFired(_ place: Reopening.Place) {
    guard case .here(let hosted)? = topicsByID[place.topicID]?.place(place.partition) else { return }
    settleLeadershipWaits(hosted)
  }
}
