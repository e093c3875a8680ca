internal import KafkaProtocol
internal import Primitives

/// A record of `__consumer_offsets`, in Kafka's own format so that its tools read it.
package struct CoordinatorRecord: Sendable, Equatable {
  /// An int16 that names the kind of key, then the key.
  package let key: [UInt8]
  /// An int16 version, then the value; nil removes what the key names.
  package let value: [UInt8]?
  package init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }

  /// About what the record takes in a batch: its bytes and the lengths around them.
  var batchBytes: Int { key.count + (value?.count ?? 0) + 32 }
}

extension CoordinatorRecord {
  /// The version of both kinds of value that Kafka 4.0 writes.
  private static let valueVersion: Int16 = 3

  /// A commit. One with an expiry of its own is written in version 1, the only one that has the field.
  static func commit(_ offset: CommittedOffset, group: GroupID, topic: String, partition: Int32) -> Self {
    let value = OffsetCommitValue(
      offset: offset.offset.value, leaderEpoch: offset.leaderEpoch.value, metadata: offset.metadata,
      commitTimestamp: offset.committedAt.milliseconds, expireTimestamp: offset.expiresAt.milliseconds)
    return CoordinatorRecord(
      key: commitKey(group, topic, partition),
      value: versioned(value, offset.expiresAt == .none ? valueVersion : 1))
  }

  static func commitTombstone(group: GroupID, topic: String, partition: Int32) -> Self {
    CoordinatorRecord(key: commitKey(group, topic, partition), value: nil)
  }

  /// The group as it stands, with `assignments` in place of what its members hold.
  static func group(_ group: ClassicGroup, assignments: [MemberID: [UInt8]]) -> Self {
    let members = group.membersInOrder.map { member in
      GroupMetadataValue.MemberMetadata(
        memberId: member.id.text, groupInstanceId: member.instanceID?.text, clientId: member.clientID,
        clientHost: member.clientHost, rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs, subscription: member.metadata(for: group.protocolName),
        assignment: assignments[member.id] ?? [])
    }
    let value = GroupMetadataValue(
      protocolType: group.protocolType ?? "", generation: group.generation.value, protocol: group.protocolName,
      leader: group.leader?.text, currentStateTimestamp: group.stateChangedAt.milliseconds, members: members)
    return CoordinatorRecord(key: groupKey(group.id), value: versioned(value, valueVersion))
  }

  static func groupTombstone(_ group: GroupID) -> Self { CoordinatorRecord(key: groupKey(group), value: nil) }

  private static func commitKey(_ group: GroupID, _ topic: String, _ partition: Int32) -> [UInt8] {
    let key = OffsetCommitKey(group: group.text, topic: topic, partition: partition)
    return int16(OffsetCommitKey.recordKeyVersion) + key.encoded(version: 0)
  }

  private static func groupKey(_ group: GroupID) -> [UInt8] {
    int16(GroupMetadataKey.recordKeyVersion) + GroupMetadataKey(group: group.text).encoded(version: 0)
  }

  private static func versioned(_ value: some Message, _ version: Int16) -> [UInt8] {
    int16(version) + value.encoded(version: version)
  }

  private static func int16(_ value: Int16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }
}

/// What a record of `__consumer_offsets` says.
enum DecodedRecord {
  /// nil: the offset is removed.
  case commit(group: GroupID, topic: String, partition: Int32, CommittedOffset?)
  /// nil: the group is removed.
  case group(GroupID, GroupMetadataValue?)
  /// Of a kind that this coordinator does not keep: left alone, for newer brokers to read.
  case foreign
  /// Not what its key says it is.
  case unreadable

  init(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?) {
    do throws(DecodeError) {
      self = try Self.decode(key: key, value: value)
    } catch {
      self = .unreadable
    }
  }

  private static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?
  ) throws(DecodeError) -> DecodedRecord {
    let (kind, keyBytes) = try split(key)
    switch kind {
    case LegacyOffsetCommitKey.recordKeyVersion, OffsetCommitKey.recordKeyVersion:
      // The two kinds of key have one layout.
      let key = try OffsetCommitKey.decode(keyBytes, version: 0)
      let offset = try value.map { bytes throws(DecodeError) in CommittedOffset(try decodeValue(bytes)) }
      return .commit(group: GroupID(key.group), topic: key.topic, partition: key.partition, offset)
    case GroupMetadataKey.recordKeyVersion:
      let key = try GroupMetadataKey.decode(keyBytes, version: 0)
      let group = try value.map { bytes throws(DecodeError) in try decodeValue(bytes) as GroupMetadataValue }
      return .group(GroupID(key.group), group)
    default:
      return .foreign
    }
  }

  private static func decodeValue<Value: Message>(_ bytes: UnsafeRawBufferPointer) throws(DecodeError) -> Value {
    let (version, body) = try split(bytes)
    return try Value.decode(body, version: version)
  }

  /// The int16 in front, and the bytes behind it.
  private static func split(
    _ bytes: UnsafeRawBufferPointer
  ) throws(DecodeError) -> (Int16, UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count >= 2 else { throw .truncated }
    return (start.bigEndian(Int16.self, at: 0), UnsafeRawBufferPointer(rebasing: bytes.dropFirst(2)))
  }
}

extension CommittedOffset {
  fileprivate init(_ value: OffsetCommitValue) {
    self.init(
      offset: Offset(value.offset), leaderEpoch: LeaderEpoch(value.leaderEpoch), metadata: value.metadata,
      committedAt: Timestamp(milliseconds: value.commitTimestamp),
      expiresAt: Timestamp(milliseconds: value.expireTimestamp))
  }
}
