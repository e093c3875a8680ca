internal import KafkaProtocol
internal import Primitives

/// A member of a classic group: joins, gets its partitions, beats, commits, and joins again when it has to (G1, G3).
final class GroupMember: GroupClient {
  private var memberID = ""
  private var generation: Int32 = -1
  private var isStopping = false
  private var assigned: [Int32] = []
  private(set) var isMember = false

  private static let protocolName = "sticky"

  func start() { join() }

  func stop() { isStopping = true }

  private func again(inMs ms: Int, _ body: @escaping () -> Void) {
    guard !isStopping else { return }
    call(inMs: ms) { body() }
  }

  private func join() {
    isMember = false
    let known = simulator.checkers.groups.generations(of: group)
    let request = JoinGroupRequest(
      groupId: group, sessionTimeoutMs: 900, rebalanceTimeoutMs: 1500, memberId: memberID, protocolType: "consumer",
      protocols: [.init(name: Self.protocolName, metadata: [])])
    ask(.joinGroup(request), version: 6) { [weak self] response in
      guard let self else { return }
      guard case .joinGroup(let body)? = response else { return again(inMs: 100) { [unowned self] in join() } }
      if body.errorCode == .memberIdRequired {
        memberID = body.memberId
        return join()
      }
      guard body.errorCode == .none else { return failed(body.errorCode) }
      memberID = body.memberId
      generation = body.generationId
      simulator.checkers.groups.joined(
        group, log, generation: generation, knownBefore: known, term: answerTerms.lowerBound)
      sync(body)
    }
  }

  private func sync(_ joined: JoinGroupResponse) {
    var assignments: [SyncGroupRequest.SyncGroupRequestAssignment] = []
    if joined.leader == memberID, !joined.members.isEmpty {
      let ids = joined.members.map(\.memberId).sorted()
      assignments = ids.enumerated().map { place, id in
        let own = (0..<6).filter { $0 % ids.count == place }
        return .init(memberId: id, assignment: own.map { UInt8($0) })
      }
    }
    let request = SyncGroupRequest(
      groupId: group, generationId: generation, memberId: memberID, assignments: assignments)
    ask(.syncGroup(request), version: 4) { [weak self] response in
      guard let self else { return }
      guard case .syncGroup(let body)? = response else { return again(inMs: 100) { [unowned self] in join() } }
      guard body.errorCode == .none else { return failed(body.errorCode) }
      assigned = body.assignment.map { Int32($0) }
      isMember = true
      simulator.checkers.groups.owns(
        group, log, generation: generation, member: memberID, partitions: assigned, term: answerTerms.upperBound)
      beat()
    }
  }

  private func beat() {
    again(inMs: 150 + random.below(150)) { [unowned self] in
      let request = HeartbeatRequest(groupId: group, generationId: generation, memberId: memberID)
      ask(.heartbeat(request), version: 3) { [weak self] response in
        guard let self else { return }
        guard case .heartbeat(let body)? = response else { return beat() }
        guard body.errorCode == .none else { return failed(body.errorCode) }
        if random.chance(percent: 4) { return join() }
        if random.chance(percent: 50) { commit() } else { beat() }
      }
    }
  }

  private func commit() {
    let known = simulator.checkers.groups.generations(of: group)
    let generation = generation
    let request = OffsetCommitRequest(
      groupId: group, generationIdOrMemberEpoch: generation, memberId: memberID,
      topics: [.init(name: ClusterSimulator.topic, partitions: [.init(partitionIndex: 0, committedOffset: 1)])])
    ask(.offsetCommit(request), version: 8) { [weak self] response in
      guard let self else { return }
      guard case .offsetCommit(let body)? = response, let code = body.topics.first?.partitions.first?.errorCode else {
        return beat()
      }
      guard code == .none else { return failed(code) }
      simulator.checkers.groups.committed(group, log, generation: generation, knownBefore: known)
      beat()
    }
  }

  private func failed(_ code: ErrorCode) {
    isMember = false
    switch code {
    case .unknownMemberId, .fencedInstanceId: memberID = ""
    case .notCoordinator, .coordinatorNotAvailable, .coordinatorLoadInProgress: forgetCoordinator()
    default: break
    }
    again(inMs: 30 + random.below(100)) { [unowned self] in join() }
  }
}
