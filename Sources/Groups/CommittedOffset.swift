package import Primitives

/// Where a group has got to in one partition.
package struct CommittedOffset: Sendable, Equatable {
  package var offset: Offset
  /// The leader epoch of the last record the group consumed; `.none` where the client did not say.
  package var leaderEpoch: LeaderEpoch
  /// What the client wrote beside the offset; empty for nothing.
  package var metadata: String
  package var committedAt: Timestamp
  /// When it expires whatever the group does: clients older than OffsetCommit v5 may ask for that. Else `.none`.
  package var expiresAt: Timestamp

  package init(
    offset: Offset, leaderEpoch: LeaderEpoch = .none, metadata: String = "", committedAt: Timestamp,
    expiresAt: Timestamp = .none
  ) {
    self.offset = offset
    self.leaderEpoch = leaderEpoch
    self.metadata = metadata
    self.committedAt = committedAt
    self.expiresAt = expiresAt
  }
}

/// The committed offsets of all groups of one `__consumer_offsets` partition. Changed by replay alone.
struct CommittedOffsets {
  typealias ByPartition = [Int32: CommittedOffset]
  private var byGroup: [GroupID: [String: ByPartition]] = [:]

  func hasOffsets(of group: GroupID) -> Bool { byGroup[group] != nil }

  subscript(group: GroupID, topic: String, partition: Int32) -> CommittedOffset? {
    byGroup[group]?[topic]?[partition]
  }

  mutating func set(_ offset: CommittedOffset, group: GroupID, topic: String, partition: Int32) {
    byGroup[group, default: [:]][topic, default: [:]][partition] = offset
  }

  mutating func remove(group: GroupID, topic: String, partition: Int32) {
    byGroup[group]?[topic]?[partition] = nil
    if byGroup[group]?[topic]?.isEmpty == true { byGroup[group]?[topic] = nil }
    if byGroup[group]?.isEmpty == true { byGroup[group] = nil }
  }

  /// The group's topics in order of name, with their partitions in order of number.
  func topics(of group: GroupID) -> [(name: String, partitions: [(index: Int32, offset: CommittedOffset)])] {
    guard let topics = byGroup[group] else { return [] }
    return topics.sorted { $0.key < $1.key }.map { name, partitions in
      (name, partitions.sorted { $0.key < $1.key }.map { (index: $0.key, offset: $0.value) })
    }
  }

  /// The groups with an offset in `topic`, in order of name.
  func groups(with topic: String) -> [GroupID] {
    byGroup.compactMap { group, topics in topics[topic] == nil ? nil : group }.sorted()
  }

  func partitions(of group: GroupID, in topic: String) -> [Int32] {
    byGroup[group]?[topic].map { $0.keys.sorted() } ?? []
  }
}
