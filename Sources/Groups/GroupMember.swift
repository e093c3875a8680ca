/// One way of assigning partitions that a member supports, with what it tells the leader then.
struct SupportedProtocol: Equatable {
  let name: String
  let metadata: [UInt8]
}

/// One member of a classic group.
struct GroupMember {
  let id: MemberID
  let instanceID: InstanceID?
  var clientID: String
  var clientHost: String
  var rebalanceTimeoutMs: Int32
  var sessionTimeoutMs: Int32
  /// In order of preference, each name once.
  var protocols: [SupportedProtocol]
  /// What the leader assigned in the present generation; empty for nothing.
  var assignment: [UInt8] = []
  /// The first JoinGroup is not answered yet: the client does not know its id and cannot send heartbeats.
  var isNew = false
  var parkedJoin: Asker?
  var parkedSync: Asker?
  /// The member's place in the order of arrival, which is the order of every answer.
  var ordinal: UInt64 = 0

  var isStatic: Bool { instanceID != nil }

  /// A member that waits for us need not send heartbeats, unless it is new: then its wait itself has an end.
  var hasSatisfiedHeartbeat: Bool { !isNew && (parkedJoin != nil || parkedSync != nil) }

  /// What the member says under the protocol called `name`; empty where it does not support it.
  func metadata(for name: String?) -> [UInt8] {
    protocols.first { $0.name == name }?.metadata ?? []
  }

  /// The member's favourite among `candidates`.
  func vote(among candidates: Set<String>) -> String? {
    protocols.first { candidates.contains($0.name) }?.name
  }
}
