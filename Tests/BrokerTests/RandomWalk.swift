import Cluster
import KafkaProtocol
import Primitives
import Records
import Simulation
import TestSupport
import Testing

@testable import Broker

/// Clients of all kinds at a broker of several shards, in a random order of everything: bytes, messages, room in the
/// network, failing writes, lost processes. And what must hold all the same.
final class Walk {
  /// What is known of a topic. Its version changes when a deletion or a creation is sent, and when it is answered.
  struct Topic {
    var version = 0
    var exists = false
    var isChanging = false
    /// Values ever sent to a partition, acknowledged or not.
    var sent: [Int32: Set<String>] = [:]
    /// Values that were acknowledged before the topic was deleted.
    var gone: Set<String> = []
    /// Those of the deletion that is under way.
    var leaving: Set<String> = []
    /// No log begins behind what was asked for: the highest offset before which records were to be deleted.
    var startMax: [Int32: Int64] = [:]
    /// Where logs begin at least, for so it was answered.
    var startMin: [Int32: Int64] = [:]
    /// Records that were acknowledged, or that a consumer saw: value by offset.
    var acknowledged: [Int32: [Int64: String]] = [:]
  }

  enum Asked {
    case produce(topic: String, partition: Int32, values: [String], version: Int)
    case fetch(topic: String, partition: Int32, version: Int)
    case change(topic: String, creates: Bool)
    case commit(group: Int, offset: Int64)
    case delete(topic: String, partition: Int32, version: Int)
    case other
  }

  final class Walker {
    let client: SimulatedClient
    var asked: [Asked] = []
    init(_ client: SimulatedClient) { self.client = client }
  }

  static let partitionCount: Int32 = 3
  let broker: SimulatedBroker
  let random: SeededRandom
  var topics: [String: Topic] = ["a": Topic(), "b": Topic()]
  /// This one is compacted, where there is a disk that loses things. The first character of a value is its key.
  static let compacted = "c"
  var walkers: [Walker] = []
  var nextValue = 0
  /// The offset that each group committed last, and one that may have been.
  var committed: [Int: Int64] = [:]
  var committing: [Int: Int64] = [:]
  /// Offsets whose commits failed: a record that reached its file but not the disk may be there after the next start.
  var doubtful: [Int: Set<Int64>] = [:]
  var hasFailed = false
  var isFull = false
  /// Whether the disk has been full since the start: late answers may still tell.
  var wasFull = false
  /// Whether requests may fail for the disk's sake.
  var mayFail: Bool { hasFailed || isFull }
  var acknowledgedCount = 0
  /// Acknowledged records that compaction was seen to have removed.
  var compactedCount = 0

  init(seed: UInt64, shards: Int) throws {
    random = SeededRandom(seed: seed &* 977)
    broker = try SimulatedBroker(shards: shards, seed: seed, settings: [(name: "log.segment.bytes", value: "4096")])
    try makeOffsetsTopic()
    connectAll()
  }

  /// On two data folders of a disk that loses what was not synced.
  init(seed: UInt64, shards: Int, on disk: SimulatedDisk) throws {
    random = SeededRandom(seed: seed &* 977)
    broker = try SimulatedBroker(
      shards: shards, seed: seed, simulatedDisk: disk,
      settings: [
        (name: "log.dirs", value: "/data,/other"), (name: "log.segment.bytes", value: "2048"),
        (name: "log.cleaner.backoff.ms", value: "50"), (name: "log.cleaner.min.cleanable.ratio", value: "0.1"),
        (name: "log.cleaner.dedupe.buffer.size", value: "1048576"),
        (name: "ottla.disk.free.bytes.low", value: "0"), (name: "ottla.disk.free.bytes.min", value: "0"),
      ])
    topics[Self.compacted] = Topic()
    try makeOffsetsTopic()
    connectAll()
  }

  private func makeOffsetsTopic() throws {
    let client = broker.connect()
    client.send(.findCoordinator(FindCoordinatorRequest(coordinatorKeys: ["g"])), version: 4, key: .findCoordinator)
    broker.settle()
    _ = try client.takeOne()
  }

  private func connectAll() {
    walkers = (0..<4).map { _ in
      let client = broker.connect(to: random.below(broker.shardCount))
      if random.chance(oneIn: 3) { client.roomByteCount = random.below(100) }
      return Walker(client)
    }
  }

  // MARK: asking

  func step() {
    let walker = walkers[random.below(walkers.count)]
    guard !walker.client.isClosed, walker.asked.count < 8 else { return broker.stepRandomly() }
    let names = topics.keys.sorted()
    let topic = names[random.below(names.count)]
    if random.chance(oneIn: 80) { return leave(walker) }
    if topics[topic]?.exists == false, random.chance(oneIn: 3) { change(walker, topic) }
    switch random.below(24) {
    case 0: change(walker, topic)
    case 1: commit(walker)
    case 2:
      walker.client.sendApiVersions()
      walker.asked.append(.other)
    case 3: deleteRecords(walker, topic)
    case 4...6: fetch(walker, topic)
    case 7...15: produce(walker, topic)
    default: break
    }
    for _ in 0..<random.below(4) { broker.stepRandomly() }
    if random.chance(oneIn: 10) { broker.clock.advance(ms: Int64(random.below(20))) }
    takeAnswers()
  }

  /// A client goes in the middle of everything, and another comes.
  private func leave(_ walker: Walker) {
    broker.disconnect(walker.client)
    walkers.removeAll { $0 === walker }
    walkers.append(Walker(broker.connect(to: random.below(broker.shardCount))))
  }

  private func produce(_ walker: Walker, _ name: String) {
    let partition = Int32(random.below(Int(Self.partitionCount)))
    let values = (0...random.below(3)).map { _ -> String in
      nextValue += 1
      let key = name == Self.compacted ? "k\(random.below(5))" : ""
      return key + "\(nextValue) " + String(repeating: "x", count: random.chance(oneIn: 10) ? 1500 : random.below(60))
    }
    topics[name]?.sent[partition, default: []].formUnion(values)
    let isQuiet = random.chance(oneIn: 8)
    walker.client.sendProduce([(name, partition, batch(name, values))], acks: isQuiet ? 0 : -1)
    let version = topics[name].map { $0.isChanging || !$0.exists ? -1 : $0.version } ?? -1
    if !isQuiet {
      walker.asked.append(.produce(topic: name, partition: partition, values: values, version: version))
    }
  }

  private func batch(_ name: String, _ values: [String]) -> [UInt8] {
    var builder = RecordBatchBuilder()
    for value in values {
      let key = name == Self.compacted ? Array(value.utf8.prefix(2)) : nil
      builder.append(key: key, value: Array(value.utf8), timestamp: broker.clock.wallClock())
    }
    return builder.build()
  }

  private func fetch(_ walker: Walker, _ name: String) {
    let partition = Int32(random.below(Int(Self.partitionCount)))
    let known = topics[name]?.acknowledged[partition]?.keys.max() ?? -1
    let offset = Int64(random.below(Int(known) + 2))
    walker.client.sendFetch(name, partition, from: offset, maxWaitMs: random.chance(oneIn: 2) ? 0 : 30)
    walker.asked.append(.fetch(topic: name, partition: partition, version: topics[name]?.version ?? -1))
  }

  private func deleteRecords(_ walker: Walker, _ name: String) {
    let partition = Int32(random.below(Int(Self.partitionCount)))
    guard name != Self.compacted, let topic = topics[name], let last = topic.acknowledged[partition]?.keys.max()
    else { return }
    let offset = Int64(random.below(Int(last) + 2))
    topics[name]?.startMax[partition] = max(topic.startMax[partition] ?? 0, offset)
    walker.client.sendDeleteRecords(name, partition, before: offset)
    walker.asked.append(.delete(topic: name, partition: partition, version: topic.version))
  }

  private func change(_ walker: Walker, _ name: String) {
    guard let topic = topics[name], !topic.isChanging, !topic.exists || random.chance(oneIn: 4) else { return }
    topics[name]?.leaving = Set(topic.acknowledged.values.flatMap(\.values))
    topics[name]?.version += 1
    topics[name]?.isChanging = true
    topics[name]?.acknowledged = [:]
    topics[name]?.startMin = [:]
    if topic.exists {
      walker.client.sendDelete(name)
    } else {
      walker.client.sendCreate(
        name, partitions: Self.partitionCount, configs: name == Self.compacted ? ["cleanup.policy": "compact"] : [:])
    }
    walker.asked.append(.change(topic: name, creates: !topic.exists))
  }

  private func commit(_ walker: Walker) {
    let group = random.below(4)
    guard committing[group] == nil else { return }
    nextValue += 1
    committing[group] = Int64(nextValue)
    walker.client.sendCommit("g\(group)", "__consumer_offsets", 0, Int64(nextValue))
    walker.asked.append(.commit(group: group, offset: Int64(nextValue)))
  }

  // MARK: answers

  private func takeAnswers() {
    for walker in walkers {
      for answer in walker.client.take() {
        guard !walker.asked.isEmpty else {
          Issue.record("an answer to nothing")
          continue
        }
        take(answer, to: walker.asked.removeFirst())
      }
    }
  }

  private func take(_ answer: Answer, to asked: Asked) {
    switch asked {
    case .produce(let name, let partition, let values, let version):
      guard let produced = answer.produced.first, produced.errorCode == .none, topics[name]?.version == version
      else { return }
      for (index, value) in values.enumerated() {
        let offset = produced.baseOffset + Int64(index)
        let before = topics[name]?.acknowledged[partition]?[offset]
        #expect(before == nil || before == value, "offset \(offset) of \(name)-\(partition) was given twice")
        topics[name]?.acknowledged[partition, default: [:]][offset] = value
        acknowledgedCount += 1
      }
    case .fetch(let name, let partition, let version):
      guard topics[name]?.version == version, let fetched = answer.fetched.first, fetched.error == .none else { return }
      let known = topics[name]?.acknowledged[partition] ?? [:]
      for record in fetched.records {
        if let value = known[record.offset] { #expect(record.value == value, "\(name)-\(partition) \(record.offset)") }
        if topics[name]?.isChanging == false {
          topics[name]?.acknowledged[partition, default: [:]][record.offset] = record.value
        }
      }
    case .change(let name, let creates):
      topics[name]?.version += 1
      topics[name]?.isChanging = false
      guard answer.topicErrors == [.none] else {
        // Nothing can change any more; what became of this change the next start tells.
        guard !(mayFail || wasFull) || answer.topicErrors != [.kafkaStorageError] else {
          topics[name]?.isChanging = true
          return
        }
        Issue.record("changing \(name) failed: \(answer.topicErrors.map(\.name))")
        return
      }
      topics[name]?.exists = creates
      let left = topics[name]?.leaving ?? []
      topics[name]?.gone.formUnion(left)
    case .commit(let group, let offset):
      committing[group] = nil
      if answer.commitErrors == [.none] {
        committed[group] = offset
        doubtful[group] = nil
      } else {
        doubtful[group, default: []].insert(offset)
      }
    case .delete(let name, let partition, let version):
      guard topics[name]?.version == version, let start = answer.deletedBefore.first, start >= 0 else { return }
      let before = topics[name]?.startMin[partition] ?? 0
      topics[name]?.startMin[partition] = max(before, start)
    case .other: break
    }
  }

  // MARK: what happens to the broker

  /// A process is lost, or stops in order; nobody knows what became of the requests under way.
  func restart(isClean: Bool) throws {
    heal()
    if isClean {
      for walker in walkers { broker.drain(walker.client) }
      try broker.restart()
      takeAnswers()
    } else {
      try broker.crash()
    }
    startAgain()
  }

  private func startAgain() {
    wasFull = false
    hasFailed = false
    settleChangesUnderWay()
    connectAll()
  }

  /// The power goes.
  func cutPower() throws {
    heal()
    let data = UnsyncedFate.allCases[random.below(3)]
    try broker.cutPower(data: data, names: UnsyncedFate.allCases[random.below(3)], seed: random.next())
    startAgain()
  }

  private func heal() {
    broker.disk.heal()
    broker.simulatedDisk?.heal()
    broker.simulatedDisk?.capacity = nil
    isFull = false
  }

  func fillUp() {
    guard let disk = broker.simulatedDisk else { return }
    isFull = true
    wasFull = true
    disk.capacity = disk.usedBytes + Int64(random.below(6000))
  }

  /// There is room again, and time to notice it.
  func makeRoom() {
    heal()
    broker.advance(ms: 6000)
  }

  /// What was asked and not answered may have happened or not: asks the broker itself.
  private func settleChangesUnderWay() {
    for name in topics.keys.sorted() where topics[name]?.isChanging == true {
      topics[name]?.version += 1
      topics[name]?.isChanging = false
      let exists = broker.shards[0].image.topic(named: name) != nil
      let left = topics[name]?.leaving ?? []
      if !exists { topics[name]?.gone.formUnion(left) }
      topics[name]?.exists = exists
      topics[name]?.acknowledged = [:]
    }
  }

  func failSomeWrites() {
    hasFailed = true
    if let disk = broker.simulatedDisk {
      let effects = [DiskFault.Effect.none, .half, .dropsDirtyPages]
      let isForRoom = random.chance(oneIn: 2)
      let calls: [Set<DiskCall>] = [
        [.write, .sync], isForRoom ? [.write, .sync, .rename] : Set(DiskCall.allCases).subtracting([.size]),
      ]
      return disk.fail(
        call: 1 + random.below(6), errno: isForRoom ? 28 : 5, effect: effects[random.below(3)],
        isLasting: random.chance(oneIn: 2), calls: calls[random.below(2)],
        pathPart: random.chance(oneIn: 3) ? "/data/" : "/other/")
    }
    broker.disk.failWrites(
      to: random.chance(oneIn: 2) ? "/a-" : "/b-", after: random.below(4), tornByteCount: random.below(100),
      errno: random.chance(oneIn: 2) ? 5 : 28)
  }

  /// Lets everything under way come to its end, and looks at everything.
  func check() throws {
    for walker in walkers { broker.drain(walker.client) }
    broker.settleRandomly()
    // The longest row of fetches that wait, one after the other.
    broker.advance(ms: 8 * 32)
    takeAnswers()
    settleChangesUnderWay()
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
