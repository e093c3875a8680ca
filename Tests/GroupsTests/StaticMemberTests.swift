import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct StaticMemberTests {
  /// A stable group of two static members; the first leads.
  private func staticGroup(_ driver: GroupDriver) -> [String] {
    let tokens = ["i0", "i1"].map { driver.join(instance: $0) }
    driver.advance(ms: 6_000)
    let ids = tokens.map { driver.joined($0)?.memberId ?? "none" }
    _ = driver.sync(ids[1], generation: 1, instance: "i1")
    _ = driver.sync(ids[0], generation: 1, instance: "i0", assignments: [ids[0]: [0], ids[1]: [1]])
    #expect(driver.describe().groupState == "Stable")
    return ids
  }

  @Test func aRestartedFollowerKeepsItsAssignmentWithoutARebalance() {
    let driver = GroupDriver()
    let ids = staticGroup(driver)
    #expect(ids[1].hasPrefix("i1-"))
    driver.client = GroupClient(clientID: "again", clientHost: "/10.0.0.9")
    let restarted = driver.joined(driver.join(instance: "i1", sessionMs: 20_000))
    #expect(restarted?.errorCode == ErrorCode.none)
    #expect(restarted?.generationId == 1)
    #expect(restarted?.skipAssignment == false)
    let id = restarted?.memberId ?? ""
    #expect(id != ids[1])
    #expect(driver.heartbeat(ids[0], generation: 1) == ErrorCode.none)
    #expect(driver.synced(driver.sync(id, generation: 1, instance: "i1"))?.assignment == [1])
    #expect(driver.describe().members.map(\.clientHost) == ["/127.0.0.1", "/10.0.0.9"])
    // Its former self is fenced, and the new session timeout counts.
    #expect(driver.heartbeat(ids[1], generation: 1, instance: "i1") == .fencedInstanceId)
    #expect(driver.commit(5, member: ids[1], generation: 1, instance: "i1") == [.fencedInstanceId])
    for _ in 0..<3 {
      driver.advance(ms: 6_000)
      #expect(driver.heartbeat(ids[0], generation: 1) == ErrorCode.none)
    }
    driver.advance(ms: 2_000)
    #expect(driver.heartbeat(ids[0], generation: 1) == .rebalanceInProgress)
  }

  @Test func aRestartedLeaderIsToldNotToAssign() {
    let driver = GroupDriver()
    let ids = staticGroup(driver)
    let newer = driver.joined(driver.join(instance: "i0"))
    #expect(newer?.skipAssignment == true)
    #expect(newer?.leader == newer?.memberId)
    #expect(newer?.members.count == 2)
    let older = driver.joined(driver.join(instance: "i0", version: 8))
    #expect(older?.leader == newer?.memberId)
    #expect(older?.memberId != newer?.memberId)
    #expect(older?.members.isEmpty == true)
    #expect(driver.heartbeat(ids[1], generation: 1) == ErrorCode.none)
    driver.failOver()
    #expect(driver.heartbeat(older?.memberId ?? "", generation: 1, instance: "i0") == ErrorCode.none)
  }

  @Test func anotherProtocolIsARebalance() {
    let driver = GroupDriver()
    let token = driver.join(instance: "i0", protocols: ["range", "sticky"])
    driver.advance(ms: 3_000)
    let id = driver.joined(token)?.memberId ?? ""
    _ = driver.sync(id, generation: 1, instance: "i0")
    let restarted = driver.join(instance: "i0", protocols: ["sticky"])
    #expect(driver.joined(restarted)?.generationId == 2)
    #expect(driver.joined(restarted)?.protocolName == "sticky")
  }

  @Test func aTwinIsFencedWhileItWaits() {
    let driver = GroupDriver()
    let waiting = driver.join(instance: "i0")
    let twin = driver.join(instance: "i0")
    #expect(driver.joined(waiting)?.errorCode == .fencedInstanceId)
    driver.advance(ms: 3_000)
    let id = driver.joined(twin)?.memberId ?? ""
    #expect(driver.joined(twin)?.generationId == 1)
    #expect(driver.joined(driver.join(id, instance: "other"))?.errorCode == .unknownMemberId)
    #expect(driver.joined(driver.join("forged", instance: "i0"))?.errorCode == .fencedInstanceId)
    // While an assignment is awaited a restart makes all start over, under the new id.
    let restarted = driver.join(instance: "i0")
    #expect(driver.joined(restarted)?.generationId == 2)
  }

  @Test func aMissingStaticMemberKeepsItsPlaceUntilItsSessionEnds() {
    let driver = GroupDriver()
    let ids = staticGroup(driver)
    let leader = driver.join(ids[0], instance: "i0", topics: ["payments"], rebalanceMs: 6_000)
    _ = driver.join(ids[1], instance: "i1", rebalanceMs: 6_000)
    _ = driver.sync(ids[0], generation: 2, instance: "i0", assignments: [ids[1]: [1]])
    _ = driver.sync(ids[1], generation: 2, instance: "i1")
    #expect(driver.joined(leader)?.generationId == 2)
    let again = driver.join(ids[0], instance: "i0", rebalanceMs: 6_000)
    driver.advance(ms: 6_000)
    #expect(driver.joined(again)?.members.map(\.groupInstanceId) == ["i0", "i1"])
  }

  @Test func operatorsRemoveByInstance() {
    let driver = GroupDriver()
    let ids = staticGroup(driver)
    let left = driver.leave([
      .init(memberId: "", groupInstanceId: "i1"), .init(memberId: "wrong", groupInstanceId: "i0"),
    ])
    #expect(left?.members.map(\.errorCode) == [.none, .fencedInstanceId])
    #expect(driver.heartbeat(ids[0], generation: 1) == .rebalanceInProgress)
  }

  @Test func aFailedAppendLeavesTheOldMember() {
    let driver = GroupDriver()
    let ids = staticGroup(driver)
    driver.failsAppends = true
    #expect(driver.joined(driver.join(instance: "i1"))?.errorCode == .coordinatorNotAvailable)
    #expect(driver.heartbeat(ids[1], generation: 1, instance: "i1") == ErrorCode.none)
  }
}
