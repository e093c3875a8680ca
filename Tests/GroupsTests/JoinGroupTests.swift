import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct JoinGroupTests {
  @Test func refusesWhatItCannotServe() {
    let driver = GroupDriver()
    #expect(driver.joined(driver.join(group: ""))?.errorCode == .invalidGroupId)
    #expect(driver.joined(driver.join(sessionMs: 5_999))?.errorCode == .invalidSessionTimeout)
    #expect(driver.joined(driver.join(sessionMs: 1_800_001))?.errorCode == .invalidSessionTimeout)
    #expect(driver.joined(driver.join("nobody"))?.errorCode == .unknownMemberId)
    #expect(driver.joined(driver.join(protocols: []))?.errorCode == .inconsistentGroupProtocol)
    #expect(driver.joined(driver.join(type: ""))?.errorCode == .inconsistentGroupProtocol)
    let long = String(repeating: "x", count: 32_001)
    #expect(driver.joined(driver.join(group: long))?.errorCode == .invalidGroupId)
    #expect(driver.describe().groupState == "Dead")
    #expect(driver.log.isEmpty)
  }

  @Test func newDynamicMembersAreGivenTheirIDFirst() {
    let driver = GroupDriver()
    let token = driver.join()
    #expect(driver.joined(token)?.errorCode == .memberIdRequired)
    let id = driver.joined(token)?.memberId ?? ""
    #expect(id.hasPrefix("client-") && id.count == 43)
    #expect(driver.describe().groupState == "Empty")
    // Nobody comes back with it: the id and the group are forgotten.
    driver.advance(ms: 10_000)
    #expect(driver.joined(driver.join(id))?.errorCode == .unknownMemberId)
    #expect(driver.describe().groupState == "Dead")
  }

  @Test(arguments: [0, 1, 2, 3] as [Int16])
  func olderClientsJoinAtOnce(version: Int16) {
    let driver = GroupDriver()
    let token = driver.join(sessionMs: 7_000, version: version)
    driver.advance(ms: 3_000)
    let joined = driver.joined(token)
    #expect(joined?.errorCode == ErrorCode.none)
    #expect(joined?.generationId == 1)
    #expect(joined?.leader == joined?.memberId)
    #expect(joined?.members.map(\.metadata) == [subscription(["orders"])])
  }

  @Test func theFirstRebalanceWaitsForOthersUpToTheRebalanceTimeout() {
    let driver = GroupDriver()
    let first = driver.joinNew(rebalanceMs: 7_000)
    driver.advance(ms: 2_999)
    #expect(driver.joined(first.token) == nil)
    let second = driver.joinNew(rebalanceMs: 7_000)
    driver.advance(ms: 1)  // extended: somebody came
    #expect(driver.joined(second.token) == nil)
    let third = driver.joinNew(rebalanceMs: 7_000)
    driver.advance(ms: 2_999)
    #expect(driver.joined(third.token) == nil)
    driver.advance(ms: 1)  // 6 s are over, one is left
    #expect(driver.joined(third.token) == nil)
    _ = driver.joinNew(rebalanceMs: 7_000)
    driver.advance(ms: 1_000)
    for member in [first, second, third] {
      #expect(driver.joined(member.token)?.generationId == 1)
      #expect(driver.joined(member.token)?.leader == first.id)
    }
    #expect(driver.joined(first.token)?.members.count == 4)
    #expect(driver.joined(second.token)?.members.isEmpty == true)
  }

  @Test func aDelayOfZeroIsHonoured() {
    let driver = GroupDriver(GroupConfig(initialRebalanceDelayMs: 0))
    let member = driver.joinNew()
    driver.advance(ms: 0)
    #expect(driver.joined(member.token)?.generationId == 1)
  }

  @Test func theProtocolIsVotedFor() {
    let driver = GroupDriver()
    let members = [["a", "b", "c"], ["b", "a"], ["b", "c", "a"]].map { driver.joinNew(protocols: $0) }
    #expect(driver.joined(driver.join(protocols: ["c"], version: 3))?.errorCode == .inconsistentGroupProtocol)
    driver.advance(ms: 9_000)
    #expect(members.map { driver.joined($0.token)?.protocolName } == ["b", "b", "b"])
    #expect(driver.joined(driver.join(type: "connect"))?.errorCode == .inconsistentGroupProtocol)
  }

  @Test func aProtocolNamedTwiceCountsOnce() {
    let driver = GroupDriver()
    _ = driver.join(protocols: ["a"], version: 3)
    #expect(driver.joined(driver.join(protocols: ["b", "b"], version: 3))?.errorCode == .inconsistentGroupProtocol)
  }

  @Test func groupMaxSizeHolds() {
    let driver = GroupDriver(GroupConfig(groupMaxSize: 2))
    let members = driver.stableGroup(members: 2)
    let third = driver.join(version: 3)
    #expect(driver.joined(third)?.errorCode == .groupMaxSizeReached)
    #expect(driver.joined(third)?.memberId == "")
    // The limit is lowered: the group rebalances when it is loaded, and whoever comes last goes.
    driver.failOver(GroupConfig(groupMaxSize: 1))
    #expect(driver.heartbeat(members[1], generation: 1) == .rebalanceInProgress)
    let kept = driver.join(members[1])
    let late = driver.join(members[0])
    #expect(driver.joined(late)?.errorCode == .groupMaxSizeReached)
    #expect(driver.joined(kept)?.generationId == 2)
    #expect(driver.describe().members.map(\.memberId) == [members[1]])
  }

  @Test func aFollowerThatMissedItsAnswerGetsItAgain() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 2)
    let again = driver.joined(driver.join(members[1]))
    #expect(again?.generationId == 1)
    #expect(again?.leader == members[0])
    #expect(driver.describe().groupState == "Stable")
    // The leader's joining, or another subscription, is a rebalance.
    _ = driver.join(members[1], topics: ["payments"])
    #expect(driver.describe().groupState == "PreparingRebalance")
    _ = driver.join(members[0])
    #expect(driver.describe().groupState == "CompletingRebalance")
    let leader = driver.joined(driver.join(members[0]))
    #expect(leader?.generationId == 2 && leader?.members.count == 2)
    _ = driver.join(members[0], topics: ["payments"])
    #expect(driver.describe().groupState == "PreparingRebalance")
  }

  @Test func aJoinSentAgainAnswersTheOneBefore() {
    let driver = GroupDriver()
    let first = driver.joinNew()
    let again = driver.join(first.id)
    #expect(driver.joined(first.token)?.errorCode == .rebalanceInProgress)
    driver.advance(ms: 3_000)
    #expect(driver.joined(again)?.generationId == 1)
  }

  @Test func aNewMembersWaitHasAnEnd() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 1)
    // The only member keeps its session but never joins the rebalance that the newcomer wants.
    let newcomer = driver.joinNew(rebalanceMs: 1_800_000)
    for _ in 0..<60 {
      #expect(driver.heartbeat(members[0], generation: 1) == .rebalanceInProgress)
      driver.advance(ms: 5_000)
    }
    #expect(driver.joined(newcomer.token)?.errorCode == .unknownMemberId)
  }

  @Test func pendingMembersAreLimitedAndMayLeave() {
    let driver = GroupDriver(GroupConfig(pendingMembersMax: 2))
    let first = driver.joined(driver.join())?.memberId ?? ""
    #expect(driver.joined(driver.join(group: "h"))?.errorCode == .memberIdRequired)
    #expect(driver.joined(driver.join(group: "i"))?.errorCode == .groupMaxSizeReached)
    #expect(driver.describe("i").groupState == "Dead")
    #expect(driver.leave([.init(memberId: first)])?.members.map(\.errorCode) == [.none])
    #expect(driver.describe().groupState == "Dead")
    #expect(driver.joined(driver.join(group: "i"))?.errorCode == .memberIdRequired)
  }

  @Test func aRebalanceWaitsForPendingMembersButTheyDisturbNobody() {
    let driver = GroupDriver()
    let member = driver.stableGroup(members: 1)[0]
    let pending = driver.joined(driver.join())?.memberId ?? ""
    #expect(driver.heartbeat(member, generation: 1) == ErrorCode.none)
    let again = driver.join(member)
    #expect(driver.joined(again) == nil)
    _ = driver.leave([.init(memberId: pending)])
    #expect(driver.joined(again)?.generationId == 2)
  }
}
