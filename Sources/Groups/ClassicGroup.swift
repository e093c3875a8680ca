internal import Primitives

/// A classic consumer group: who is in it and where its rebalance stands (Kafka's ClassicGroup).
///
/// It keeps its own books straight and knows no clock, no log and no wire: what to do when is the coordinator's.
final class ClassicGroup {
  let id: GroupID
  private(set) var state: GroupState
  private(set) var previousState: GroupState
  /// When the group came into its state; `.none` where an old record did not say.
  private(set) var stateChangedAt: Timestamp
  private(set) var generation = Generation(0)
  private(set) var protocolType: String?
  private(set) var protocolName: String?
  private(set) var leader: MemberID?
  private(set) var members: [MemberID: GroupMember] = [:]
  /// The topics the members read; nil where that is not known.
  private(set) var subscribedTopics: Set<String>?
  /// Clients that were given a member id and are to join with it.
  private(set) var pendingMembers: Set<MemberID> = []
  /// Members whose SyncGroup of this generation has not come.
  private(set) var pendingSyncs: Set<MemberID> = []
  /// How many members' JoinGroup is parked.
  private(set) var awaitingJoinCount = 0
  /// In the first rebalance of an empty group: somebody came since the delay was last set.
  var newMemberAdded = false
  /// What is left of the first rebalance's delay; nil in any other rebalance.
  var initialDelay: InitialDelay?
  /// Whether the log holds the group's metadata.
  var isDurable = false

  private var membersByInstance: [InstanceID: MemberID] = [:]
  /// How many members support each protocol.
  private var supporterCounts: [String: Int] = [:]
  private var lastOrdinal: UInt64 = 0

  struct InitialDelay {
    var delayMs: Int64
    var remainingMs: Int64
  }

  /// A new group without members.
  init(id: GroupID, at time: Timestamp) {
    self.id = id
    state = .empty
    previousState = .empty
    stateChangedAt = time
  }

  /// A group as the log has it.
  init(
    id: GroupID, generation: Generation, protocolType: String?, protocolName: String?, leader: MemberID?,
    members: [GroupMember], stateChangedAt: Timestamp
  ) {
    self.id = id
    state = members.isEmpty ? .empty : .stable
    previousState = state
    self.stateChangedAt = stateChangedAt
    self.generation = generation
    self.protocolName = protocolName
    self.leader = leader
    for member in members where self.members[member.id] == nil { add(member) }
    self.protocolType = protocolType
    subscribedTopics = topicsOfMembers()
    isDurable = true
  }

  var membersInOrder: [GroupMember] { members.values.sorted { $0.ordinal < $1.ordinal } }
  var hasAllMembersJoined: Bool { members.count == awaitingJoinCount && pendingMembers.isEmpty }
  /// The longest rebalance timeout of the members: what the slowest asked for.
  var rebalanceTimeoutMs: Int64 { Int64(max(0, members.values.map(\.rebalanceTimeoutMs).max() ?? 0)) }
  var isConsumerGroup: Bool { protocolType == "consumer" }

  func member(of instance: InstanceID) -> MemberID? { membersByInstance[instance] }

  func transition(to next: GroupState, at time: Timestamp) {
    previousState = state
    state = next
    stateChangedAt = time
  }
}

// MARK: members

extension ClassicGroup {
  func add(_ newcomer: GroupMember) {
    precondition(members[newcomer.id] == nil, "member \(newcomer.id.text) joined group \(id.text) twice")
    var member = newcomer
    lastOrdinal &+= 1
    member.ordinal = lastOrdinal
    if let instance = member.instanceID { membersByInstance[instance] = member.id }
    if leader == nil { leader = member.id }
    if member.parkedJoin != nil { awaitingJoinCount += 1 }
    count(member.protocols, by: 1)
    pendingMembers.remove(member.id)
    members[member.id] = member
  }

  /// Founds the group anew: the first member of an empty group says what kind of group it is.
  func adopt(protocolType: String) { self.protocolType = protocolType }

  /// Takes a member out, with whatever it had parked: the caller answers that. The next in line leads.
  func remove(_ memberID: MemberID) -> GroupMember? {
    pendingMembers.remove(memberID)
    pendingSyncs.remove(memberID)
    guard let member = members.removeValue(forKey: memberID) else { return nil }
    count(member.protocols, by: -1)
    if member.parkedJoin != nil { awaitingJoinCount -= 1 }
    if let instance = member.instanceID { membersByInstance[instance] = nil }
    if leader == memberID { leader = members.values.min { $0.ordinal < $1.ordinal }?.id }
    return member
  }

  /// Puts a static member's new incarnation in the place of the old one, which is returned with what it had parked.
  func replace(_ oldID: MemberID, with newcomer: GroupMember) -> GroupMember? {
    guard let old = members.removeValue(forKey: oldID) else { return nil }
    count(old.protocols, by: -1)
    if old.parkedJoin != nil { awaitingJoinCount -= 1 }
    var member = newcomer
    member.ordinal = old.ordinal
    member.assignment = old.assignment
    if member.parkedJoin != nil { awaitingJoinCount += 1 }
    count(member.protocols, by: 1)
    members[member.id] = member
    if let instance = member.instanceID { membersByInstance[instance] = member.id }
    if leader == oldID { leader = member.id }
    if pendingSyncs.remove(oldID) != nil { pendingSyncs.insert(member.id) }
    return old
  }

  /// A known member joins again, maybe with other protocols and timeouts. Returns the JoinGroup it had parked before.
  func rejoin(_ memberID: MemberID, as joiner: GroupMember) -> Asker? {
    guard var member = members[memberID] else { return nil }
    let earlier = member.parkedJoin
    count(member.protocols, by: -1)
    count(joiner.protocols, by: 1)
    if earlier == nil, joiner.parkedJoin != nil { awaitingJoinCount += 1 }
    if earlier != nil, joiner.parkedJoin == nil { awaitingJoinCount -= 1 }
    member.protocols = joiner.protocols
    member.rebalanceTimeoutMs = joiner.rebalanceTimeoutMs
    member.sessionTimeoutMs = joiner.sessionTimeoutMs
    member.clientID = joiner.clientID
    member.clientHost = joiner.clientHost
    member.parkedJoin = joiner.parkedJoin
    members[memberID] = member
    return earlier
  }

  func addPending(_ memberID: MemberID) { pendingMembers.insert(memberID) }

  /// Unparks the member's JoinGroup.
  func takeJoin(of memberID: MemberID) -> Asker? {
    guard let asker = members[memberID]?.parkedJoin else { return nil }
    members[memberID]?.parkedJoin = nil
    awaitingJoinCount -= 1
    return asker
  }

  /// Parks the member's SyncGroup; returns the one it had parked before.
  func parkSync(of memberID: MemberID, _ asker: Asker) -> Asker? {
    let earlier = members[memberID]?.parkedSync
    members[memberID]?.parkedSync = asker
    return earlier
  }

  func takeSync(of memberID: MemberID) -> Asker? {
    guard let asker = members[memberID]?.parkedSync else { return nil }
    members[memberID]?.parkedSync = nil
    return asker
  }

  func setAssignment(of memberID: MemberID, to assignment: [UInt8]) { members[memberID]?.assignment = assignment }

  func markKnown(_ memberID: MemberID) { members[memberID]?.isNew = false }

  func expectSync(of memberID: MemberID) { pendingSyncs.insert(memberID) }

  func syncArrived(from memberID: MemberID) { pendingSyncs.remove(memberID) }
}

// MARK: protocols and generations

extension ClassicGroup {
  /// Whether somebody with these protocols fits in: one of them is supported by all who are here.
  func supports(protocolType type: String, protocols: [SupportedProtocol]) -> Bool {
    if state == .empty { return !type.isEmpty && !protocols.isEmpty }
    return type == protocolType && protocols.contains { supporterCounts[$0.name, default: 0] == members.count }
  }

  /// The protocol that all support and most prefer; of equals, the one that the earliest member prefers.
  func selectProtocol() -> String? {
    let candidates = Set(supporterCounts.filter { $0.value == members.count }.keys)
    var votes: [(name: String, count: Int)] = []
    for member in membersInOrder {
      guard let name = member.vote(among: candidates) else { continue }
      if let index = votes.firstIndex(where: { $0.name == name }) {
        votes[index].count += 1
      } else {
        votes.append((name, 1))
      }
    }
    guard let most = votes.map(\.count).max() else { return nil }
    return votes.first { $0.count == most }?.name
  }

  /// Sees to a leader that has joined this rebalance; false where nobody has.
  func electJoinedLeader() -> Bool {
    guard let leader else { return false }
    if members[leader]?.parkedJoin != nil { return true }
    guard let joined = membersInOrder.first(where: { $0.parkedJoin != nil }) else { return false }
    self.leader = joined.id
    return true
  }

  /// Begins the next generation with the members there are.
  func beginGeneration(at time: Timestamp) {
    generation = generation.next
    protocolName = members.isEmpty ? nil : selectProtocol()
    subscribedTopics = topicsOfMembers()
    transition(to: members.isEmpty ? .empty : .completingRebalance, at: time)
    pendingSyncs = []
    initialDelay = nil
    newMemberAdded = false
  }

  /// Whether members read `topic`. True where a consumer group's subscription could not be read: better keep offsets.
  func isSubscribed(to topic: String) -> Bool { subscribedTopics?.contains(topic) ?? isConsumerGroup }

  private func topicsOfMembers() -> Set<String>? {
    guard isConsumerGroup else { return nil }
    var topics: Set<String> = []
    for member in members.values {
      guard let subscription = SubscribedTopics.parse(member.metadata(for: protocolName)) else { return nil }
      topics.formUnion(subscription)
    }
    return topics
  }

  private func count(_ protocols: [SupportedProtocol], by difference: Int) {
    for supported in protocols {
      let count = supporterCounts[supported.name, default: 0] + difference
      supporterCounts[supported.name] = count == 0 ? nil : count
    }
  }
}
