internal import Primitives

/// What a leader knows of one follower, from its fetches in this term (Kafka's `Replica`).
struct RemoteReplica {
  let id: BrokerID
  /// How far the follower's log is safe there, as its last fetch promised; nil before the first in this term.
  var logEndOffset: Offset?
  /// Where the follower's log begins.
  var logStartOffset = Offset.zero
  /// The broker epoch in which it fetched last; -1 before.
  var fetchedBrokerEpoch: Int64 = -1
  /// The last time at which it had everything that the leader had.
  var lastCaughtUp: Instant
  /// When it fetched last, and where the leader's log ended then.
  var lastFetch: (at: Instant, leaderLogEndOffset: Offset)?
  /// A time at which it still followed in this term: its last fetch was sent after that. nil where nobody can say.
  var followedAt: Instant?
  /// What the cluster says of its broker.
  var brokerEpoch: Int64 = -1
  var isActive = false
  var rack: String?

  /// - Parameter isCaughtUp: whether to begin as if it were: a member of the isr has its time to show that it lags.
  init(id: BrokerID, isCaughtUp: Bool, now: Instant) {
    self.id = id
    lastCaughtUp = isCaughtUp ? now : Instant(nanoseconds: .min)
  }

  /// Takes note of a fetch at `offset`, while the leader's log ends at `leaderEnd`. A follower that has got to where the
  /// leader was at its fetch before was caught up then: under load it is never where the leader is.
  mutating func fetched(
    at offset: Offset, logStartOffset: Offset, brokerEpoch: Int64, leaderLogEndOffset leaderEnd: Offset, now: Instant
  ) {
    if offset >= leaderEnd {
      lastCaughtUp = max(lastCaughtUp, now)
    } else if let lastFetch, offset >= lastFetch.leaderLogEndOffset {
      lastCaughtUp = max(lastCaughtUp, lastFetch.at)
    }
    lastFetch = (now, leaderEnd)
    logEndOffset = offset
    self.logStartOffset = logStartOffset
    fetchedBrokerEpoch = brokerEpoch
  }

  /// Whether it has all, or had so less than `lagMaxMs` ago.
  func isCaughtUp(to leaderEnd: Offset, now: Instant, lagMaxMs: Int64) -> Bool {
    if logEndOffset == leaderEnd { return true }
    return now < lastCaughtUp.advanced(byMilliseconds: lagMaxMs) && lastCaughtUp.nanoseconds > .min
  }

  /// Whether its broker may be in an isr, and is the one that fetched (KIP-841, KIP-903).
  var isEligible: Bool { isActive && fetchedBrokerEpoch == brokerEpoch && brokerEpoch >= 0 }
}
