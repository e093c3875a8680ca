import Cluster
import Primitives
import Storage
import Testing

@testable import Replication

@Suite struct PartitionIsrTests {
  private func ids(_ proposal: IsrProposal?) -> [Int32]? { proposal?.isr.map(\.id.value) }

  /// A leader whose isr is itself alone, with three records.
  private func alone() throws -> ReplicaFixture {
    let fixture = try ReplicaFixture()
    fixture.image.isr = [BrokerID(1)]
    fixture.apply()
    try fixture.append(3)
    _ = fixture.partition.advanceHighWatermark()
    return fixture
  }

  @Test func whoHasCaughtUpJoins() throws {
    let fixture = try alone()
    #expect(fixture.fetched(2, at: 2))
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "below the high watermark")
    #expect(fixture.fetched(2, at: 3))
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    #expect(ids(proposal) == [1, 2] && proposal.isr.map(\.brokerEpoch) == [101, 102])
    #expect(proposal.leaderEpoch == LeaderEpoch(5) && proposal.partitionEpoch == 10)
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "one at a time")
    let answer = IsrAnswer.committed(leaderEpoch: LeaderEpoch(5), isr: [BrokerID(1), BrokerID(2)], partitionEpoch: 11)
    #expect(fixture.partition.isrAnswered(proposal, answer, now: fixture.now) == .committed)
    #expect(fixture.partition.isr == [BrokerID(1), BrokerID(2)] && fixture.partition.partitionEpoch == 11)
    #expect(fixture.partition.isrAnswered(proposal, answer, now: fixture.now) == .stale)
    #expect(!fixture.fetched(2, at: 3))
  }

  @Test func whoLacksSomethingFromBeforeTheTermDoesNotJoin() throws {
    let fixture = try ReplicaFixture()
    _ = fixture.lead(2)
    try fixture.copy(from: 0, epochs: [6, 6, 6], highWatermark: 1)
    _ = fixture.lead(1, isr: [1, 3])
    fixture.fetched(2, at: 2)
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "the high watermark is 1, the term began at 3")
    fixture.fetched(2, at: 3)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2, 3])
  }

  @Test func whoHoldsWhatTheLeaderHasDeletedDoesNotJoin() throws {
    let fixture = try alone()
    try fixture.partition.log.deleteRecords(before: Offset(2), now: fixture.wallClock)
    fixture.fetched(2, at: 3)
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "its log begins at 0")
    fixture.fetched(2, at: 3, logStart: 2)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2])
  }

  @Test func whoIsFencedOrHasStartedAnewDoesNotJoin() throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    fixture.fetched(3, at: 3, brokerEpoch: 90)
    fixture.register(BrokerID(2), epoch: 102, isFenced: true)
    fixture.apply()
    #expect(fixture.partition.isrChange(now: fixture.now) == nil)
    fixture.register(BrokerID(2), epoch: 150)
    fixture.apply()
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "it fetched as 102")
    fixture.fetched(2, at: 3, brokerEpoch: 150)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2])
  }

  @Test func whoLagsLeaves() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    try fixture.append(3)
    fixture.pass(ms: 600)
    fixture.fetched(2, at: 3)
    fixture.fetched(3, at: 2)
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "everybody has a second")
    try fixture.append(1)
    fixture.pass(ms: 600)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2], "broker 2 was caught up 600 ms ago")
  }

  @Test func underLoadWhoKeepsUpStays() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    for round in 0..<10 {
      try fixture.append(2)
      fixture.pass(ms: 400)
      // Always where the leader was at the fetch before.
      fixture.fetched(2, at: Int64(2 * round))
      fixture.fetched(3, at: Int64(2 * round))
      #expect(fixture.partition.isrChange(now: fixture.now) == nil, "round \(round)")
    }
  }

  @Test func bothSetsCountWhileAProposalIsOpen() throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    fixture.pass(ms: 5000)
    try fixture.append(1)
    #expect(!fixture.partition.advanceHighWatermark(), "broker 2 may be in the isr already")
    #expect(
      fixture.partition.isrAnswered(proposal, .unanswered, now: fixture.now)
        == .retry(at: fixture.now.advanced(byMilliseconds: 200)))
    #expect(fixture.partition.isrChange(now: fixture.now) == nil && !fixture.partition.advanceHighWatermark())
    fixture.pass(ms: 200)
    #expect(fixture.partition.isrChange(now: fixture.now) == proposal)
    #expect(
      fixture.partition.isrAnswered(proposal, .refused(.invalidUpdateVersion), now: fixture.now) == .waitsForImage)
    fixture.pass(ms: 5000)
    #expect(fixture.partition.isrChange(now: fixture.now) == nil && !fixture.partition.advanceHighWatermark())
    fixture.image.partitionEpoch = 12
    fixture.apply()
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(4))
  }

  @Test(arguments: [ErrorCode.ineligibleReplica, .invalidRequest, .operationNotAttempted])
  func aRefusalEndsAProposalThatWasSentOnce(code: ErrorCode) throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    let next = fixture.now.advanced(byMilliseconds: 200)
    #expect(fixture.partition.isrAnswered(proposal, .refused(code), now: fixture.now) == .dropped(next: next))
    #expect(fixture.partition.isrChange(now: fixture.now) == nil)
    fixture.pass(ms: 200)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2])
  }

  @Test func aRefusalDoesNotEndWhatMayStillBeUnderWay() throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    _ = fixture.partition.isrAnswered(proposal, .unanswered, now: fixture.now)
    fixture.pass(ms: 200)
    #expect(fixture.partition.isrChange(now: fixture.now) == proposal)
    _ = fixture.partition.isrAnswered(proposal, .refused(.ineligibleReplica), now: fixture.now)
    fixture.register(BrokerID(2), epoch: 102, isFenced: true)
    fixture.apply()
    fixture.pass(ms: 2000)
    try fixture.append(1)
    #expect(!fixture.partition.advanceHighWatermark(), "the first sending may be taken yet")
    let settling = try #require(fixture.partition.isrChange(now: fixture.now))
    #expect(ids(settling) == [1], "nothing new, but it makes the other too late")
    let unwritten = IsrAnswer.committed(leaderEpoch: LeaderEpoch(5), isr: [BrokerID(1)], partitionEpoch: 10)
    let next = fixture.now.advanced(byMilliseconds: 200)
    #expect(fixture.partition.isrAnswered(settling, unwritten, now: fixture.now) == .dropped(next: next))
    #expect(!fixture.partition.advanceHighWatermark(), "it did not")
    fixture.pass(ms: 200)
    #expect(fixture.partition.isrChange(now: fixture.now) == settling)
    let answer = IsrAnswer.committed(leaderEpoch: LeaderEpoch(5), isr: [BrokerID(1)], partitionEpoch: 11)
    #expect(fixture.partition.isrAnswered(settling, answer, now: fixture.now) == .committed)
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.isrChange(now: fixture.now) == nil)
  }

  @Test(arguments: [
    ErrorCode.notController, .staleBrokerEpoch, .unknownServerError, .requestTimedOut, .networkException,
    .clusterAuthorizationFailed,
  ])
  func otherErrorsAreTriedAgain(code: ErrorCode) throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    let at = fixture.now.advanced(byMilliseconds: 200)
    #expect(fixture.partition.isrAnswered(proposal, .refused(code), now: fixture.now) == .retry(at: at))
    #expect(fixture.partition.isrRetryAt == at)
  }

  @Test(arguments: [
    ErrorCode.fencedLeaderEpoch, .invalidUpdateVersion, .notLeaderOrFollower, .newLeaderElected, .unknownTopicId,
    .unknownTopicOrPartition,
  ])
  func whereTheControllerKnowsMoreTheImageIsWaitedFor(code: ErrorCode) throws {
    let fixture = try alone()
    fixture.fetched(2, at: 3)
    let proposal = try #require(fixture.partition.isrChange(now: fixture.now))
    #expect(fixture.partition.isrAnswered(proposal, .refused(code), now: fixture.now) == .waitsForImage)
    #expect(fixture.lead(1, isr: [1]) == .leads(LeaderEpoch(6)))
    fixture.fetched(2, at: 3)
    #expect(ids(fixture.partition.isrChange(now: fixture.now)) == [1, 2])
  }

  @Test func aFencedLogProposesNothing() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    try fixture.append(1)
    fixture.pass(ms: 5000)
    fixture.partition.log.fence()
    #expect(fixture.partition.isrChange(now: fixture.now) == nil, "it must not become the only one in sync")
  }
}
