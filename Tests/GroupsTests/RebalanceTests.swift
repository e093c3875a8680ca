import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct RebalanceTests {
  @Test func threeMembersLoseOne() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 3)
    #expect(driver.describe().members.map(\.memberAssignment) == [[0], [1], [2]])
    // The third goes silent; the others' heartbeats tell them when its session has ended.
    for _ in 0..<3 {
      driver.advance(ms: 3_000)
      #expect(driver.heartbeat(members[0], generation: 1) == ErrorCode.none)
      #expect(driver.heartbeat(members[1], generation: 1) == ErrorCode.none)
    }
    driver.advance(ms: 1_000)
    #expect(driver.heartbeat(members[0], generation: 1) == .rebalanceInProgress)
    #expect(driver.heartbeat(members[2], generation: 1) == .unknownMemberId)
    let follower = driver.join(members[1])
    #expect(driver.synced(driver.sync(members[1], generation: 1))?.errorCode == .rebalanceInProgress)
    let leader = driver.join(members[0])
    #expect(driver.joined(leader)?.members.map(\.memberId) == [members[0], members[1]])
    #expect(driver.joined(follower)?.generationId == 2)
    let early = driver.sync(members[1], generation: 2)
    #expect(driver.synced(early) == nil)
    #expect(driver.synced(driver.sync(members[1], generation: 1))?.errorCode == .illegalGeneration)
    let last = driver.sync(members[0], generation: 2, assignments: [members[0]: [7]])
    #expect(driver.synced(last)?.assignment == [7])
    #expect(driver.synced(early) == SyncGroupResponse(protocolType: "consumer", protocolName: "range"))
    #expect(driver.synced(driver.sync(members[1], generation: 2))?.errorCode == ErrorCode.none)
  }

  @Test func whoDoesNotJoinInTimeIsOut() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 3)
    let newcomer = driver.joinNew()
    let second = driver.join(members[1])
    for _ in 0..<12 {  // the others live, but do not come
      _ = driver.heartbeat(members[0], generation: 1)
      _ = driver.heartbeat(members[2], generation: 1)
      driver.advance(ms: 5_000)
    }
    #expect(driver.joined(second)?.leader == members[1])
    #expect(driver.joined(second)?.members.map(\.memberId) == [members[1], newcomer.id])
    #expect(driver.heartbeat(members[0], generation: 1) == .unknownMemberId)
  }

  @Test func whoDoesNotSyncInTimeIsOut() {
    let driver = GroupDriver()
    let leader = driver.joinNew(rebalanceMs: 20_000)
    let follower = driver.joinNew(rebalanceMs: 20_000)
    driver.advance(ms: 6_000)
    #expect(driver.joined(leader.token)?.generationId == 1)
    let sync = driver.sync(leader.id, generation: 1, assignments: [leader.id: [1]])
    #expect(driver.synced(sync)?.assignment == [1])
    for _ in 0..<4 {
      #expect(driver.heartbeat(follower.id, generation: 1) == ErrorCode.none)
      #expect(driver.heartbeat(leader.id, generation: 1) == ErrorCode.none)
      driver.advance(ms: 5_000)
    }
    #expect(driver.heartbeat(follower.id, generation: 1) == .unknownMemberId)
    #expect(driver.heartbeat(leader.id, generation: 1) == .rebalanceInProgress)
  }

  @Test func aLeaderThatNeverSyncsDoesNotHoldTheGroup() {
    let driver = GroupDriver()
    let leader = driver.joinNew(rebalanceMs: 20_000)
    let follower = driver.joinNew(rebalanceMs: 20_000)
    driver.advance(ms: 6_000)
    let parked = driver.sync(follower.id, generation: 1)
    for _ in 0..<4 {
      _ = driver.heartbeat(leader.id, generation: 1)
      driver.advance(ms: 5_000)
    }
    #expect(driver.synced(parked)?.errorCode == .rebalanceInProgress)
    let again = driver.join(follower.id)
    #expect(driver.joined(again)?.leader == follower.id)
  }

  @Test func waitingForTheLeaderIsASignOfLife() {
    let driver = GroupDriver()
    let leader = driver.joinNew()
    let follower = driver.joinNew()
    driver.advance(ms: 6_000)
    let parked = driver.sync(follower.id, generation: 1)
    driver.advance(ms: 9_000)
    _ = driver.heartbeat(leader.id, generation: 1)
    driver.advance(ms: 9_000)  // the follower's session is long over
    _ = driver.sync(leader.id, generation: 1, assignments: [follower.id: [5]])
    #expect(driver.synced(parked)?.assignment == [5])
    driver.advance(ms: 9_000)
    #expect(driver.heartbeat(follower.id, generation: 1) == ErrorCode.none)
  }

  @Test func cooperativeRebalancesTakeTwoRounds() {
    let driver = GroupDriver()
    let old = driver.stableGroup(members: 1)[0]
    let newcomer = driver.joinNew()
    #expect(driver.heartbeat(old, generation: 1) == .rebalanceInProgress)
    let first = driver.join(old)
    #expect(driver.joined(first)?.generationId == 2)
    #expect(driver.joined(newcomer.token)?.generationId == 2)
    // Round one takes partitions from the old member; it then joins again to have them given to the newcomer.
    let waiting = driver.sync(newcomer.id, generation: 2)
    _ = driver.sync(old, generation: 2, assignments: [old: [1], newcomer.id: []])
    #expect(driver.synced(waiting)?.assignment == [])
    let second = driver.join(old)
    #expect(driver.heartbeat(newcomer.id, generation: 2) == .rebalanceInProgress)
    _ = driver.join(newcomer.id)
    #expect(driver.joined(second)?.generationId == 3)
    let given = driver.sync(newcomer.id, generation: 3)
    _ = driver.sync(old, generation: 3, assignments: [old: [1], newcomer.id: [2]])
    #expect(driver.synced(given)?.assignment == [2])
  }

  @Test func leavingIsToldAtOnceAndTheLastOneEmptiesTheGroup() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 2)
    let left = driver.leave([
      .init(memberId: members[0]), .init(memberId: "nobody"), .init(memberId: "", groupInstanceId: "none"),
    ])
    #expect(left?.members.map(\.errorCode) == [.none, .unknownMemberId, .unknownMemberId])
    #expect(driver.heartbeat(members[1], generation: 1) == .rebalanceInProgress)
    let join = driver.join(members[1])
    #expect(driver.joined(join)?.leader == members[1])
    _ = driver.leave([.init(memberId: members[1])])
    #expect(driver.describe().groupState == "Empty")
    #expect(driver.heartbeat(members[1], generation: 2) == .unknownMemberId)
    driver.failOver()
    #expect(driver.describe().groupState == "Empty")
    let next = driver.stableGroupGeneration()
    #expect(next == 4)
  }

  @Test func leavingBeforeVersion3IsAnsweredAtTheTop() {
    let driver = GroupDriver()
    let request = LeaveGroupRequest(groupId: "g", memberId: "nobody")
    let token = driver.send(.leaveGroup(request), version: 2)
    #expect(driver.answers[token] == .leaveGroup(LeaveGroupResponse(errorCode: .unknownMemberId)))
  }

  @Test func anAssignmentTooLargeForTheLogIsRefused() {
    let driver = GroupDriver(GroupConfig(recordBatchMaxBytes: 2_000))
    let member = driver.joinNew()
    driver.advance(ms: 3_000)
    let assignment = [UInt8](repeating: 1, count: 3_000)
    let sync = driver.sync(member.id, generation: 1, assignments: [member.id: assignment])
    #expect(driver.synced(sync)?.errorCode == .unknownServerError)
    #expect(driver.describe().groupState == "PreparingRebalance")
    #expect(driver.log.isEmpty)
  }

  @Test func syncSaysWhatWasAgreed() {
    let driver = GroupDriver()
    let member = driver.stableGroup(members: 1)[0]
    let other = driver.sync(member, generation: 1, protocolName: "sticky")
    #expect(driver.synced(other)?.errorCode == .inconsistentGroupProtocol)
    let silent = driver.sync(member, generation: 1, protocolName: nil)
    #expect(driver.synced(silent)?.errorCode == .inconsistentGroupProtocol)
    #expect(driver.synced(driver.sync(member, generation: 1, version: 3))?.assignment == [0])
    #expect(driver.synced(driver.sync(member, generation: 1, group: ""))?.errorCode == .invalidGroupId)
  }
}

extension GroupDriver {
  /// Lets one new member form a generation, and tells its number.
  func stableGroupGeneration() -> Int32? {
    let member = joinNew()
    advance(ms: 3_000)
    return joined(member.token)?.generationId
  }
}
