import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct OffsetCommitTests {
  @Test func simpleConsumersCommitWhileNobodyIsInTheGroup() {
    let driver = GroupDriver()
    #expect(driver.committed() == -1)
    #expect(driver.commit(42, metadata: "note") == [.none])
    #expect(driver.committed() == 42)
    #expect(driver.describe().groupState == "Empty")
    driver.failOver()
    #expect(driver.committed() == 42)
    _ = driver.stableGroup(members: 1)
    #expect(driver.commit(43) == [.unknownMemberId])
    #expect(driver.commit(1, group: "") == [.none])
  }

  @Test func membersCommitInTheirGeneration() {
    let driver = GroupDriver()
    let members = driver.stableGroup(members: 2)
    #expect(driver.commit(1, member: members[1], generation: 1) == [.none])
    #expect(driver.commit(2, member: members[1], generation: 0) == [.illegalGeneration])
    #expect(driver.commit(2, member: "nobody", generation: 1) == [.unknownMemberId])
    #expect(driver.commit(2, member: members[1], generation: -1) == [.illegalGeneration])
    #expect(driver.commit(2, member: members[1], generation: 1, instance: "i") == [.unknownMemberId])
    #expect(driver.commit(2, generation: 3, group: "other", version: 9) == [.groupIdNotFound])
    #expect(driver.commit(2, generation: 3, group: "other", version: 8) == [.illegalGeneration])
    _ = driver.join(members[0])
    #expect(driver.commit(3, member: members[1], generation: 1) == [.none])  // still its own
    _ = driver.join(members[1])
    #expect(driver.commit(4, member: members[1], generation: 2) == [.rebalanceInProgress])
    #expect(driver.committed() == 3)
  }

  @Test func aCommitIsASignOfLife() {
    let driver = GroupDriver()
    let member = driver.stableGroup(members: 1)[0]
    for offset in 0..<5 {
      driver.advance(ms: 9_000)
      #expect(driver.commit(Int64(offset), member: member, generation: 1) == [.none])
    }
  }

  @Test func eachPartitionHasItsOwnError() {
    let driver = GroupDriver(GroupConfig(offsetMetadataMaxBytes: 4))
    #expect(driver.commit(1, topics: ["nowhere", "orders"]) == [.unknownTopicOrPartition, .none])
    #expect(driver.commit(1, generation: 9, topics: ["nowhere"]) == [.unknownTopicOrPartition])
    #expect(driver.commit(2, metadata: "12345") == [.offsetMetadataTooLarge])
    #expect(driver.commit(2, topics: ["nowhere", "orders"], version: 10) == [.unknownTopicId, .none])
    #expect(driver.committed() == 2)
  }

  @Test func aCommitTooLargeForTheLogIsRefused() {
    let driver = GroupDriver(GroupConfig(recordBatchMaxBytes: 300))
    #expect(driver.commit(1, topics: ["orders", "payments"], metadata: "0123456789").allSatisfy { $0 == .none })
    let metadata = String(repeating: "x", count: 200)
    #expect(driver.commit(2, metadata: metadata) == [.invalidCommitOffsetSize])
    #expect(driver.committed() == 1)
  }

  @Test func aFailedAppendChangesNothing() {
    let driver = GroupDriver()
    _ = driver.commit(1)
    driver.failsAppends = true
    #expect(driver.commit(2) == [.coordinatorNotAvailable])
    #expect(driver.committed() == 1)
  }
}

@Suite struct OffsetFetchTests {
  @Test func answersEveryVersionInItsOwnShape() {
    let driver = GroupDriver()
    _ = driver.commit(7, topics: ["payments", "orders"], metadata: "m")
    let all = driver.send(.offsetFetch(OffsetFetchRequest(groupId: "g", topics: nil)), version: 2)
    guard case .offsetFetch(let response)? = driver.answers[all] else { return #expect(Bool(false)) }
    #expect(response.topics.map(\.name) == ["orders", "payments"])
    #expect(
      response.topics.first?.partitions == [
        .init(partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: 3, metadata: "m")
      ])
    let id = driver.topics.topicID("orders") ?? .zero
    let request = OffsetFetchRequest(groups: [
      .init(groupId: "g", topics: [.init(topicId: id, partitionIndexes: [0, 1])]),
      .init(groupId: "g", topics: [.init(topicId: UUID(high: 8, low: 8), partitionIndexes: [0])]),
      .init(groupId: "other", topics: nil),
    ])
    guard case .offsetFetch(let newest)? = driver.ask(.offsetFetch(request), version: 10)
    else { return #expect(Bool(false)) }
    #expect(newest.groups.map(\.groupId) == ["g", "g", "other"])
    #expect(newest.groups[0].topics[0].partitions.map(\.committedOffset) == [7, -1])
    #expect(newest.groups[1].topics[0].partitions.map(\.errorCode) == [.unknownTopicId])
    #expect(newest.groups[2].topics.isEmpty)
  }

  @Test(arguments: [1, 2, 7, 8] as [Int16])
  func errorsAreNeverMistakenForNoOffset(version: Int16) {
    let request = OffsetFetchRequest(
      groupId: "g", topics: [.init(name: "orders", partitionIndexes: [0])], groups: [.init(groupId: "g")])
    let refused = GroupRequest.offsetFetch(request).refused(with: .notCoordinator, version: version)
    guard case .offsetFetch(let response) = refused else { return #expect(Bool(false)) }
    let codes =
      version < 2
      ? response.topics.flatMap { $0.partitions.map(\.errorCode) }
      : version < 8 ? [response.errorCode] : response.groups.map(\.errorCode)
    #expect(codes == [.notCoordinator])
  }
}

@Suite struct OffsetDeleteTests {
  private func delete(_ driver: GroupDriver, _ topics: [String], group: String = "g") -> OffsetDeleteResponse? {
    let request = OffsetDeleteRequest(
      groupId: group, topics: topics.map { .init(name: $0, partitions: [.init(partitionIndex: 0)]) })
    guard case .offsetDelete(let response)? = driver.ask(.offsetDelete(request), version: 0)
    else { return nil }
    return response
  }

  @Test func topicsInUseKeepTheirOffsets() {
    let driver = GroupDriver()
    _ = driver.commit(1, topics: ["orders", "payments"])
    _ = driver.stableGroup(members: 1, topics: ["orders"])
    let codes = delete(driver, ["orders", "payments", "nowhere"])?.topics.map { $0.partitions[0].errorCode }
    #expect(codes == [.groupSubscribedToTopic, .none, .unknownTopicOrPartition])
    #expect(driver.committed("orders") == 1)
    #expect(driver.committed("payments") == -1)
  }

  @Test func onlyConsumersMayBeThere() {
    let driver = GroupDriver()
    #expect(delete(driver, ["orders"], group: "")?.errorCode == .invalidGroupId)
    #expect(delete(driver, ["orders"])?.errorCode == .groupIdNotFound)
    _ = driver.join(type: "connect", version: 3)
    #expect(delete(driver, ["orders"])?.errorCode == .nonEmptyGroup)
  }

  @Test func deletedTopicsTakeTheirOffsetsAlong() {
    let driver = GroupDriver()
    _ = driver.commit(1, topics: ["orders", "payments"])
    _ = driver.commit(1, group: "h", topics: ["orders"])
    driver.deleteTopics(["orders"])
    #expect(driver.committed("orders") == -1)
    #expect(driver.committed("payments") == 1)
    driver.failOver()
    #expect(driver.committed("orders", group: "h") == -1)
  }
}
