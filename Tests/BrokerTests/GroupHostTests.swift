import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct GroupHostTests {
  private static let offsetsTopic = "__consumer_offsets"

  /// Makes the offsets topic, as the first question for a coordinator does.
  private func findCoordinator(_ broker: SimulatedBroker, shard: Int = 0) throws {
    let client = broker.connect(to: shard)
    client.send(
      .findCoordinator(FindCoordinatorRequest(coordinatorKeys: ["g0"])), version: 4, key: .findCoordinator)
    broker.settle()
    guard case .findCoordinator(let body) = try client.takeOne().response else { return }
    try #require(body.coordinators.map(\.errorCode) == [.none])
    #expect(body.coordinators.map(\.nodeId) == [1])
  }

  @Test(arguments: [1, 2]) func offsetsAreCommittedAndFetchedFromAnyShard(shards: Int) throws {
    let broker = try SimulatedBroker(shards: shards)
    try broker.create("orders", partitions: 2)
    try findCoordinator(broker, shard: shards - 1)
    for number in 0..<8 {
      let client = broker.connect(to: number % shards)
      client.sendCommit("g\(number)", "orders", 0, Int64(number))
      client.sendOffsetFetch("g\(number)", "orders", 0)
      broker.settle()
      let answers = client.take()
      #expect(answers[0].commitErrors == [.none])
      #expect(answers[1].committedOffsets == [Int64(number)])
    }
    try broker.crash()
    let client = broker.connect(to: shards - 1)
    for number in 0..<8 { client.sendOffsetFetch("g\(number)", "orders", 0) }
    broker.settle()
    #expect(client.take().flatMap(\.committedOffsets) == (0..<8).map { Int64($0) })
  }

  @Test func manyGroupsInOneRequestComeBackInOrder() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    try findCoordinator(broker)
    let client = broker.connect(to: 1)
    for number in 0..<6 { client.sendCommit("g\(number)", "orders", 0, Int64(number)) }
    broker.settle()
    _ = client.take()
    let groups = (0..<6).map {
      OffsetFetchRequest.OffsetFetchRequestGroup(
        groupId: "g\($0)", topics: [.init(name: "orders", partitionIndexes: [0])])
    }
    client.send(.offsetFetch(OffsetFetchRequest(groups: groups)), version: 8, key: .offsetFetch)
    client.send(.listGroups(ListGroupsRequest()), version: 4, key: .listGroups)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].committedOffsets == (0..<6).map { Int64($0) })
    guard case .listGroups(let list) = answers[1].response else { return }
    #expect(list.groups.map(\.groupId) == (0..<6).map { "g\($0)" })
  }

  @Test func aCommitIsWrittenBeforeItIsAnswered() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    try findCoordinator(broker)
    let client = broker.connect()
    client.sendCommit("g0", "orders", 0, 5)
    broker.settle()
    #expect(try client.takeOne().commitErrors == [.none])
    broker.disk.failWrites(to: Self.offsetsTopic, errno: 28)
    client.sendCommit("g0", "orders", 0, 6)
    client.sendOffsetFetch("g0", "orders", 0)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].commitErrors != [.none], "it was not written")
    #expect(answers[1].committedOffsets == [5], "nor may it be seen")
    broker.disk.heal()
    try broker.crash()
    let again = broker.connect()
    again.sendOffsetFetch("g0", "orders", 0)
    broker.settle()
    #expect(try again.takeOne().committedOffsets == [5])
  }

  @Test(arguments: [0, 1]) func aFailedWriteSparesTheFetchThatCameWithIt(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    try findCoordinator(broker)
    let writer = broker.connect(to: shard)
    let reader = broker.connect(to: shard)
    for number in 0..<4 { writer.sendCommit("g\(number)", "orders", 0, 1) }
    broker.settle()
    _ = writer.take()
    broker.disk.failWrites(to: Self.offsetsTopic, errno: 28)
    for number in 0..<4 {
      // In the same turn: one changes an offset, the other reads it.
      writer.sendCommit("g\(number)", "orders", 0, 2)
      reader.sendOffsetFetch("g\(number)", "orders", 0)
    }
    broker.settle()
    #expect(writer.take().allSatisfy { $0.commitErrors != [.none] })
    #expect(reader.take().allSatisfy { $0.committedOffsets != [2] }, "what was not written was never shown")
  }

  @Test func aMemberJoinsSyncsAndLeavesAcrossShards() throws {
    let broker = try SimulatedBroker(shards: 2)
    try findCoordinator(broker)
    for number in 0..<4 {
      let client = broker.connect(to: number % 2)
      let join = JoinGroupRequest(
        groupId: "g\(number)", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: "consumer",
        protocols: [.init(name: "range", metadata: [1])])
      client.send(.joinGroup(join), version: 3, key: .joinGroup)
      broker.settle()
      broker.advance(ms: 10)
      guard case .joinGroup(let joined) = try client.takeOne().response else { return }
      #expect(joined.errorCode == .none && joined.leader == joined.memberId)
      client.send(
        .syncGroup(
          SyncGroupRequest(
            groupId: "g\(number)", generationId: joined.generationId, memberId: joined.memberId,
            assignments: [.init(memberId: joined.memberId, assignment: [7])])),
        version: 2, key: .syncGroup)
      client.send(
        .heartbeat(
          HeartbeatRequest(groupId: "g\(number)", generationId: joined.generationId, memberId: joined.memberId)),
        version: 2, key: .heartbeat)
      broker.settle()
      let answers = client.take()
      guard case .syncGroup(let synced) = answers[0].response, case .heartbeat(let beat) = answers[1].response else {
        throw Unexpected(answers[0])
      }
      #expect(synced.errorCode == .none && synced.assignment == [7])
      #expect(beat.errorCode == .none)
      // A silent member loses its place, by the timer of the coordinator's shard.
      broker.advance(ms: 10_050)
      client.send(
        .heartbeat(
          HeartbeatRequest(groupId: "g\(number)", generationId: joined.generationId, memberId: joined.memberId)),
        version: 2, key: .heartbeat)
      broker.settle()
      guard case .heartbeat(let late) = try client.takeOne().response else { return }
      #expect(late.errorCode == .unknownMemberId)
    }
  }

  /// What cannot be written is tried again now and then, not at every tick.
  @Test func aFailedLogDoesNotKeepTheShardBusy() throws {
    let broker = try SimulatedBroker()
    try findCoordinator(broker)
    let client = broker.connect()
    let join = JoinGroupRequest(
      groupId: "g0", sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, protocolType: "consumer",
      protocols: [.init(name: "range", metadata: [1])])
    client.send(.joinGroup(join), version: 3, key: .joinGroup)
    broker.settle()
    broker.advance(ms: 10)
    guard case .joinGroup(let joined) = try client.takeOne().response else { return }
    client.send(
      .syncGroup(
        SyncGroupRequest(
          groupId: "g0", generationId: joined.generationId, memberId: joined.memberId,
          assignments: [.init(memberId: joined.memberId, assignment: [7])])),
      version: 2, key: .syncGroup)
    broker.settle()
    #expect(client.take().count == 1)
    broker.disk.failWrites(to: Self.offsetsTopic, errno: 28)
    let before = broker.log.all.count
    broker.advance(ms: 60_000)
    let lines = broker.log.all[before...]
    #expect(lines.contains { $0.contains("failed") } && lines.count < 100, "\(lines.count) lines")
  }

  @Test(arguments: [0, 1]) func aStopAnswersAJoinThatWaits(shard: Int) throws {
    let broker = try SimulatedBroker(
      shards: 2, settings: [(name: "group.initial.rebalance.delay.ms", value: "60000")])
    try findCoordinator(broker)
    let clients = (0..<4).map { number in
      let client = broker.connect(to: shard)
      client.send(
        .joinGroup(
          JoinGroupRequest(
            groupId: "g\(number)", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: "consumer",
            protocols: [.init(name: "range", metadata: [1])])),
        version: 3, key: .joinGroup)
      return client
    }
    broker.settle()
    #expect(clients.allSatisfy { $0.waitingCount == 1 })
    for shard in broker.shards { shard.beginStop() }
    broker.settle()
    #expect(clients.allSatisfy { $0.waitingCount == 0 && $0.isClosed })
    #expect(broker.shards.allSatisfy { $0.isDrained })
  }

  /// A coordinator that knows only some of what was committed would send consumers back to the start.
  @Test func stateThatCannotBeReadIsNotTakenForEmpty() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    try findCoordinator(broker)
    let client = broker.connect()
    for number in 0..<4 { client.sendCommit("g\(number)", "orders", 0, 3) }
    broker.settle()
    #expect(client.take().allSatisfy { $0.commitErrors == [.none] })
    // A failed write makes the coordinators read their logs again.
    broker.disk.failWrites(to: Self.offsetsTopic, errno: 28)
    broker.disk.failReads(from: Self.offsetsTopic)
    for number in 0..<4 { client.sendCommit("g\(number)", "orders", 0, 4) }
    broker.settle()
    let again = broker.connect()
    for number in 0..<4 { again.sendOffsetFetch("g\(number)", "orders", 0) }
    broker.settle()
    for answer in again.take() {
      guard case .offsetFetch(let body) = answer.response else { continue }
      #expect(body.groups.allSatisfy { $0.errorCode != .none })
    }
    broker.disk.heal()
    try broker.restart()
    let last = broker.connect()
    for number in 0..<4 { last.sendOffsetFetch("g\(number)", "orders", 0) }
    broker.settle()
    #expect(last.take().flatMap(\.committedOffsets) == [3, 3, 3, 3])
  }

  @Test func deletingTheOffsetsTopicAnswersWhoWaits() throws {
    let broker = try SimulatedBroker(
      shards: 2, settings: [(name: "group.initial.rebalance.delay.ms", value: "60000")])
    try findCoordinator(broker)
    let clients = (0..<4).map { number in
      let client = broker.connect(to: number % 2)
      client.send(
        .joinGroup(
          JoinGroupRequest(
            groupId: "g\(number)", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: "consumer",
            protocols: [.init(name: "range", metadata: [1])])),
        version: 3, key: .joinGroup)
      return client
    }
    broker.settle()
    let admin = broker.connect()
    admin.sendDelete(Self.offsetsTopic)
    broker.settle()
    guard try admin.takeOne().topicErrors == [.none] else { return }
    #expect(clients.map(\.waitingCount) == [0, 0, 0, 0])
  }

  @Test func deletingATopicForgetsItsOffsets() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    try findCoordinator(broker)
    let client = broker.connect(to: 1)
    for number in 0..<4 { client.sendCommit("g\(number)", "orders", 0, 3) }
    client.sendDelete("orders")
    broker.settle()
    _ = client.take()
    for number in 0..<4 { client.sendOffsetFetch("g\(number)", "orders", 0) }
    broker.settle()
    #expect(client.take().flatMap(\.committedOffsets) == [-1, -1, -1, -1])
  }
}

extension SimulatedClient {
  func sendCommit(_ group: String, _ topic: String, _ partition: Int32, _ offset: Int64) {
    send(
      .offsetCommit(
        OffsetCommitRequest(
          groupId: group,
          topics: [.init(name: topic, partitions: [.init(partitionIndex: partition, committedOffset: offset)])])),
      version: 8, key: .offsetCommit)
  }

  func sendOffsetFetch(_ group: String, _ topic: String, _ partition: Int32) {
    send(
      .offsetFetch(
        OffsetFetchRequest(
          groups: [.init(groupId: group, topics: [.init(name: topic, partitionIndexes: [partition])])])),
      version: 8, key: .offsetFetch)
  }
}

extension Answer {
  /// The error of each partition of an offset-commit answer.
  var commitErrors: [ErrorCode] {
    guard case .offsetCommit(let body) = response else { return [] }
    return body.topics.flatMap(\.partitions).map(\.errorCode)
  }

  /// The offset of each partition of an offset-fetch answer, group by group.
  var committedOffsets: [Int64] {
    guard case .offsetFetch(let body) = response else { return [] }
    return body.groups.flatMap(\.topics).flatMap(\.partitions).map(\.committedOffset)
  }
}
