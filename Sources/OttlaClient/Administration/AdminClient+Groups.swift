internal import Client
internal import KafkaProtocol

/// A group as lists have it.
///
/// ```swift
/// for group in try await admin.listGroups() where group.protocolType == "consumer" && group.state == "Empty" {
///   let offsets = try await admin.committedOffsets(of: group.groupId)
///   print("nobody reads as \(group.groupId), which has offsets in \(offsets.count) partitions")
/// }
/// ```
public struct GroupListing: Hashable, Sendable {
  /// The group's name.
  public let groupId: String
  /// `consumer` for groups of consumers.
  public let protocolType: String
  /// `Stable`, `Empty`, `PreparingRebalance` and so on; empty where the broker does not tell.
  public let state: String
}

/// A group and its members.
///
/// ```swift
/// func line(_ member: GroupDescription.Member) -> String {
///   let name = member.groupInstanceId ?? member.memberId
///   let partitions = member.assignment.map(\.description).joined(separator: ", ")
///   return "\(name), \(member.clientId) at \(member.host), reads \(partitions)"
/// }
/// let group = try await admin.describeGroup("billing")
/// print("\(group.groupId) is \(group.state), shares out by '\(group.assignmentStrategy)'")
/// for member in group.members { print(line(member)) }
/// ```
public struct GroupDescription: Hashable, Sendable {
  /// A member of a group.
  public struct Member: Hashable, Sendable {
    /// What the group calls it.
    public let memberId: String
    /// Its name that outlives the process; nil where it has none.
    public let groupInstanceId: String?
    /// What it calls itself.
    public let clientId: String
    /// Where it connects from.
    public let host: String
    /// The partitions that it reads, in order.
    public let assignment: [TopicPartition]
  }
  /// The group's name.
  public let groupId: String
  /// `Stable`, `Empty`, `PreparingRebalance` and so on; `Dead` for a group that nobody knows.
  public let state: String
  /// How partitions are shared out, once members have agreed.
  public let assignmentStrategy: String
  /// Its members at present.
  public let members: [Member]
}

extension AdminClient {
  /// The groups of the whole cluster, by name.
  ///
  /// ```swift
  /// let names = try await admin.listGroups().map(\.groupId)
  /// ```
  ///
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func listGroups() async throws(ClientError) -> [GroupListing] {
    let groups = try await ask { (client) throws(Client.ClientError) in try client.listGroups() }
    return groups.map { GroupListing(groupId: $0.groupId, protocolType: $0.protocolType, state: $0.groupState) }
  }

  /// State and members of a group. One that nobody knows is described as `Dead`.
  ///
  /// ```swift
  /// let group = try await admin.describeGroup("billing")
  /// print(group.state, group.members.map(\.assignment))
  /// ```
  ///
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func describeGroup(_ group: String) async throws(ClientError) -> GroupDescription {
    let answer = try await ask { (client) throws(Client.ClientError) in try client.describeGroup(group) }
    return GroupDescription(
      groupId: group, state: answer.groupState, assignmentStrategy: answer.protocolData,
      members: answer.members.map { member in
        GroupDescription.Member(
          memberId: member.memberId, groupInstanceId: member.groupInstanceId, clientId: member.clientId,
          host: member.clientHost, assignment: Self.assignment(member.memberAssignment))
      })
  }

  /// The partitions in a member's assignment; none where it cannot be read.
  private static func assignment(_ bytes: [UInt8]) -> [TopicPartition] {
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let version = reader.int16()
      guard reader.failure == nil, version >= 0 else { return [] }
      let known = min(version, ConsumerProtocolAssignment.versions.upperBound)
      let assignment = ConsumerProtocolAssignment.decode(from: &reader, version: known)
      guard reader.failure == nil else { return [] }
      return assignment.assignedPartitions.flatMap { topic in
        topic.partitions.map { TopicPartition(topic.topic, $0) }
      }.sorted()
    }
  }

  /// Deletes a group that has no members, with its offsets.
  ///
  /// ```swift
  /// try await admin.deleteGroup("billing")
  /// ```
  ///
  /// - Throws: `.refused` with code 68 (`NON_EMPTY_GROUP`) or 69 (`GROUP_ID_NOT_FOUND`).
  public func deleteGroup(_ group: String) async throws(ClientError) {
    try await ask(mayRepeat: false) { (client) throws(Client.ClientError) in try client.deleteGroup(group) }
  }

  /// Every offset that a group has committed: that of the next record to read.
  ///
  /// ```swift
  /// let next = try await admin.committedOffsets(of: "billing")[TopicPartition("orders", 0)]
  /// ```
  ///
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func committedOffsets(of group: String) async throws(ClientError) -> [TopicPartition: Int64] {
    try await ask { (client) throws(Client.ClientError) in try client.committedOffsets(of: group).public }
  }

  /// Sets offsets of a group that has no members at present (Kafka's `alterConsumerGroupOffsets`).
  ///
  /// ```swift
  /// // the group reads all of the partition once more
  /// try await admin.alterOffsets(of: "billing", to: [TopicPartition("orders", 0): 0])
  /// ```
  ///
  /// - Throws: `.refused` with code 25 (`UNKNOWN_MEMBER_ID`) while it has members.
  public func alterOffsets(
    of group: String, to offsets: [TopicPartition: Int64]
  ) async throws(ClientError) {
    try await ask { (client) throws(Client.ClientError) in try client.commitOffsets(offsets.wire, of: group) }
  }

  /// Makes a group forget what it has committed in `partitions` (KIP-496).
  ///
  /// ```swift
  /// try await admin.deleteOffsets(of: "billing", in: [TopicPartition("orders", 0)])
  /// ```
  ///
  /// - Throws: `.refused` with code 86 (`GROUP_SUBSCRIBED_TO_TOPIC`) for topics that it reads at present.
  public func deleteOffsets(of group: String, in partitions: [TopicPartition]) async throws(ClientError) {
    try await ask { (client) throws(Client.ClientError) in
      try client.deleteOffsets(of: group, in: partitions.map(\.wire))
    }
  }
}
