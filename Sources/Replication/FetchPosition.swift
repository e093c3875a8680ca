package import Primitives

/// From where a follower fetches: its promise that it has everything before, in the same history as the leader.
package struct FetchPosition: Hashable, Sendable {
  /// The end of the follower's log; what is below is safe there, as `durability` understands it.
  package let offset: Offset
  /// The term of the last record before `offset`; -1 where the log is empty.
  package let lastFetchedEpoch: LeaderEpoch
  /// Where the follower's log begins.
  package let logStartOffset: Offset
  package init(offset: Offset, lastFetchedEpoch: LeaderEpoch, logStartOffset: Offset) {
    self.offset = offset
    self.lastFetchedEpoch = lastFetchedEpoch
    self.logStartOffset = logStartOffset
  }
}

/// Whether a partition can be fetched now.
package enum FetchReadiness: Hashable, Sendable {
  /// From there.
  case at(FetchPosition)
  /// What was fetched last must be on the disk before the next fetch promises it, and is not yet.
  case afterFlush
  /// It is not followed, or its disk has failed or is full.
  case notNow
}

/// One partition of a follower's fetch, as its leader reads it.
package struct FollowerFetch: Hashable, Sendable {
  package let replica: BrokerID
  package let brokerEpoch: Int64
  package let currentLeaderEpoch: LeaderEpoch
  package let position: FetchPosition
  package init(replica: BrokerID, brokerEpoch: Int64, currentLeaderEpoch: LeaderEpoch, position: FetchPosition) {
    self.replica = replica
    self.brokerEpoch = brokerEpoch
    self.currentLeaderEpoch = currentLeaderEpoch
    self.position = position
  }
}
