import Cluster
import KafkaProtocol
import Primitives
import Records
import Simulation
import TestSupport
import Testing

@testable import Broker

/// What must hold of the broker of a walk, whatever has happened to it.
extension Walk {
  /// Lets everything under way come to its end, and looks at everything.
  func check() throws {
    for walker in walkers { broker.drain(walker.client) }
    broker.settleRandomly()
    // The longest row of fetches that wait, one after the other.
    broker.advance(ms: 8 * 32)
    takeAnswers()
    // Whether a change is in a metadata log that could not be synced the next start tells.
    if broker.shards[0].isWorking(0) { settleChangesUnderWay() }
    for walker in walkers where !walker.client.isClosed {
      #expect(walker.client.waitingCount == 0, "\(walker.client.waitingCount) requests were never answered")
    }
    for shard in broker.shards {
      #expect(shard.partitionGathers.isEmpty && shard.responseGathers.isEmpty && shard.waitingReplies.isEmpty)
      #expect(shard.appendWaits.isEmpty && shard.dirtyPartitions.isEmpty && shard.requestBytesHeld == 0)
      #expect(shard.diskJobs.isEmpty && shard.hostedPartitions.allSatisfy { $0.waits.isEmpty })
    }
    for name in topics.keys.sorted() {
      guard let topic = topics[name], !topic.isChanging else { continue }
      let isThere = broker.shards[0].image.topic(named: name) != nil
      #expect(isThere == topic.exists, "\(name) is \(isThere ? "back" : "gone")")
      guard topic.exists else { continue }
      for partition in 0..<Self.partitionCount { try check(name, partition, topic) }
    }
    checkGroups()
  }

  private func check(_ name: String, _ partition: Int32, _ topic: Topic) throws {
    let client = broker.connect(to: random.below(broker.shardCount))
    defer { broker.disconnect(client) }
    guard let start = try start(of: name, partition, client) else { return }
    #expect(start >= topic.startMin[partition] ?? 0, "\(name)-\(partition) holds deleted records")
    #expect(start <= topic.startMax[partition] ?? 0, "\(name)-\(partition) lost records that nobody deleted")
    topics[name]?.startMax[partition] = start
    var seen: [SeenRecord] = []
    var next = start
    while true {
      client.sendFetch(name, partition, from: next)
      broker.settle()
      // A disk that cannot be read breaks the connection that was to get what it holds.
      if mayFail, client.isClosed { return }
      let part = try #require(try client.takeOne().fetched.first)
      if part.error != .none, mayFail { return }
      try #require(part.error == .none, "\(name)-\(partition): \(part.error.name)")
      // Whole batches: the first may begin before the log does.
      seen += part.records.filter { $0.offset >= start }
      guard let end = part.nextOffset else { break }
      next = end
    }
    if name == Self.compacted { return checkCompacted(partition, topic, seen) }
    let end = start + Int64(seen.count)
    #expect(seen.map(\.offset) == (start..<end).map { $0 }, "\(name)-\(partition) has gaps")
    let acknowledged = (topic.acknowledged[partition] ?? [:]).filter { $0.key >= start }
    for (offset, value) in acknowledged.sorted(by: { $0.key < $1.key }) {
      let found = offset < end ? seen[Int(offset - start)].value : nil
      #expect(found == value, "\(name)-\(partition) lost what it acknowledged at \(offset) of \(end)")
    }
    checkOrigin(name, partition, topic, seen)
  }

  /// Of every key there is the newest record, and nothing is what it never was.
  private func checkCompacted(_ partition: Int32, _ topic: Topic, _ seen: [SeenRecord]) {
    let name = Self.compacted
    let acknowledged = topic.acknowledged[partition] ?? [:]
    let byOffset = Dictionary(seen.map { ($0.offset, $0.value) }) { first, _ in first }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.offset < $1.offset }, "\(name)-\(partition) is out of order")
    var newest: [Substring: Int64] = [:]
    for record in seen { newest[record.value.prefix(2)] = record.offset }
    for (offset, value) in acknowledged.sorted(by: { $0.key < $1.key }) {
      if let found = byOffset[offset] {
        #expect(found == value, "\(name)-\(partition) has another record at \(offset)")
      } else {
        let last = newest[value.prefix(2)] ?? -1
        #expect(last > offset, "\(name)-\(partition) lost \(value.prefix(8)) of \(offset), newest is of \(last)")
        compactedCount += 1
      }
    }
    checkOrigin(name, partition, topic, seen)
  }

  private func checkOrigin(_ name: String, _ partition: Int32, _ topic: Topic, _ seen: [SeenRecord]) {
    let strangers = seen.filter { topic.sent[partition]?.contains($0.value) != true }
    #expect(Set(seen.map(\.value)).count == seen.count, "a record of \(name)-\(partition) was stored twice")
    let ghosts = seen.filter { topic.gone.contains($0.value) }
    #expect(ghosts.isEmpty, "\(name)-\(partition) holds records of a deleted topic")
    #expect(strangers.isEmpty, "\(name)-\(partition) holds others' records")
  }

  /// Where a log begins; nil where a failed write took it away.
  private func start(of name: String, _ partition: Int32, _ client: SimulatedClient) throws -> Int64? {
    client.send(
      .listOffsets(
        ListOffsetsRequest(topics: [
          .init(name: name, partitions: [.init(partitionIndex: partition, timestamp: -2)])
        ])),
      version: 7, key: .listOffsets)
    broker.settle()
    guard case .listOffsets(let body) = try client.takeOne().response else { return nil }
    let listed = try #require(body.topics.first?.partitions.first)
    if listed.errorCode != .none, mayFail { return nil }
    try #require(listed.errorCode == .none, "\(name)-\(partition): \(listed.errorCode.name)")
    return listed.offset
  }

  private func checkGroups() {
    // A broker whose only folder failed serves nothing any more.
    guard broker.haltReason == nil else { return }
    let client = broker.connect(to: random.below(broker.shardCount))
    defer { broker.disconnect(client) }
    for group in 0..<4 {
      client.sendOffsetFetch("g\(group)", "__consumer_offsets", 0)
      broker.settle()
      let answers = client.take()
      guard let offset = answers.first?.committedOffsets.first else {
        #expect(mayFail, "group \(group) is not served: \(answers)")
        continue
      }
      let known = committed[group] ?? -1
      let isKnown = offset == known || offset == committing[group] || doubtful[group]?.contains(offset) == true
      #expect(isKnown, "group \(group) has \(offset), committed was \(known)")
      // Commits whose answers were lost with their process.
      committed[group] = offset
      committing[group] = nil
      doubtful[group] = nil
    }
  }
}
