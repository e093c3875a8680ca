import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct GroupReplayTests {
  private func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  @Test func aCommitIsInKafkasFormat() {
    let driver = GroupDriver()
    _ = driver.commit(5, metadata: "m")
    #expect(driver.log.count == 1)
    // Key version 1: group, topic, partition.
    #expect(driver.log[0].key == bytes("0001 0001 67 0006 6f7264657273 00000000"))
    // Value version 3: offset, leader epoch, metadata, commit timestamp.
    #expect(driver.log[0].value == bytes("0003 0000000000000005 00000003 0001 6d 00000007 57b12fe8"))
    _ = driver.commit(6, retentionMs: 1, version: 4)
    // Version 1 has an expiry and no leader epoch.
    #expect(
      driver.log[1].value == bytes("0001 0000000000000006 0000 00000007 57b12fe8 00000007 57b12fe9"))
  }

  @Test func aGroupIsInKafkasFormat() throws {
    let driver = GroupDriver()
    let member = driver.stableGroup(members: 1)[0]
    #expect(driver.log.count == 1)
    #expect(driver.log[0].key == bytes("0002 0001 67"))
    let value = try #require(driver.log[0].value)
    #expect(value.prefix(2) == [0, 3])
    let decoded = try GroupMetadataValue.decode(Array(value.dropFirst(2)), version: 3)
    #expect(
      decoded
        == GroupMetadataValue(
          protocolType: "consumer", generation: 1, protocol: "range", leader: member,
          currentStateTimestamp: 31_536_004_000,
          members: [
            .init(
              memberId: member, clientId: "client", clientHost: "/127.0.0.1", rebalanceTimeout: 60_000,
              sessionTimeout: 10_000, subscription: subscription(["orders"]), assignment: [0])
          ]))
  }

  @Test func aLoadedGroupGoesOn() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 3)
    let before = driver.describe()
    driver.failOver()
    #expect(driver.describe() == before)
    // Everybody has a fresh session, and nobody needs to rebalance.
    driver.advance(ms: 9_999)
    for member in members { #expect(driver.heartbeat(member, generation: 1) == ErrorCode.none) }
    #expect(driver.synced(driver.sync(members[2], generation: 1))?.assignment == [2])
    #expect(driver.commit(1, member: members[0], generation: 1) == [.none])
    driver.advance(ms: 10_000)
    #expect(driver.describe().groupState == "Empty")
  }

  @Test func failoverAnswersWhoeverWaits() {
    let driver = GroupDriver()
    let join = driver.joinNew()
    driver.failOver()
    #expect(driver.joined(join.token)?.errorCode == .notCoordinator)
    let leader = driver.joinNew()
    let follower = driver.joinNew()
    driver.advance(ms: 6_000)
    let sync = driver.sync(follower.id, generation: 1)
    driver.failOver()
    #expect(driver.synced(sync)?.errorCode == .notCoordinator)
    #expect(driver.heartbeat(leader.id, generation: 1) == .unknownMemberId)
  }

  @Test func aFailedAssignmentIsToldToAllWhoWait() {
    let driver = GroupDriver()
    let leader = driver.joinNew()
    let follower = driver.joinNew()
    driver.advance(ms: 6_000)
    let parked = driver.sync(follower.id, generation: 1)
    driver.failsAppends = true
    let sync = driver.sync(leader.id, generation: 1)
    #expect(driver.synced(parked)?.errorCode == .coordinatorNotAvailable)
    #expect(driver.synced(sync)?.errorCode == .coordinatorNotAvailable)
  }

  @Test func recordsOfOthersAreLeftAloneAndDamageIsCounted() {
    let coordinator = GroupCoordinator(partition: 0, config: GroupConfig()) { 1 }
    func replay(_ key: String, _ value: String?) {
      coordinator.replay(
        CoordinatorRecord(key: bytes(key), value: value.map(bytes)), at: .zero)
    }
    replay("0003 0001 67", "0000 00000001 00")  // a consumer group's (KIP-848)
    replay("7fff", "0000")
    #expect(coordinator.unreadableRecordCount == 0)
    replay("", nil)
    replay("00", "0000")
    replay("0001 0005 67", "0003")
    replay("0002 0001 67", "0063")
    replay("0002 0001 67", "0003 0000 00000001")
    #expect(coordinator.unreadableRecordCount == 5)
    // Version 0 of the oldest key, and a group record of version 0.
    replay("0000 0001 67 0001 74 00000002", "0000 0000000000000009 0000 0000000000000001")
    replay("0002 0001 68", "0000 0000 00000004 ffff ffff 00000000")
    #expect(coordinator.unreadableRecordCount == 5)
    coordinator.loaded(now: Instant(nanoseconds: 0))
    let effects = coordinator.handle(
      .listGroups(ListGroupsRequest()), version: 5, from: GroupClient(clientID: "", clientHost: ""),
      token: RequestToken(1), now: Instant(nanoseconds: 0), wallClock: .none, topics: KnownTopics())
    guard case .listGroups(let response)? = effects.replies.first?.response else { return #expect(Bool(false)) }
    #expect(response.groups.map(\.groupId) == ["g", "h"])
  }

  @Test func noBytesBringItDown() {
    var random = SeededRandom(state: 11)
    let driver = GroupDriver()
    _ = driver.stableGroup(members: 2)
    _ = driver.commit(1, group: "h")
    let coordinator = GroupCoordinator(partition: 0, config: GroupConfig()) { 1 }
    for _ in 0..<1_500 {
      var record = driver.log.randomElement(using: &random) ?? CoordinatorRecord(key: [], value: nil)
      var key = record.key
      var value = record.value ?? []
      if Bool.random(using: &random) { key.removeLast(Int.random(in: 0...key.count, using: &random)) }
      if Bool.random(using: &random) { value.removeLast(Int.random(in: 0...value.count, using: &random)) }
      for _ in 0..<Int.random(in: 0..<4, using: &random) {
        if let at = value.indices.randomElement(using: &random) {
          value[at] = UInt8.random(in: 0...255, using: &random)
        }
        if let at = key.indices.randomElement(using: &random) { key[at] = UInt8.random(in: 0...255, using: &random) }
      }
      record = CoordinatorRecord(key: key, value: Bool.random(using: &random) ? value : nil)
      coordinator.replay(record, at: .zero)
    }
    coordinator.loaded(now: Instant(nanoseconds: 0))
    var now = Instant(nanoseconds: 0)
    for _ in 0..<5_000 {
      guard let next = coordinator.nextDeadline, next < Instant(nanoseconds: 3_000_000_000_000_000) else { break }
      now = max(now, next)
      for record in coordinator.timersFired(now: now, wallClock: Timestamp(milliseconds: 0)).records {
        coordinator.replay(record, at: .zero)
      }
    }
    #expect(coordinator.unreadableRecordCount > 0)
  }
}
