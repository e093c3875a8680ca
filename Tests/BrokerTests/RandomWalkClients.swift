import Cluster
import KafkaProtocol
import Primitives
import Records
import Simulation
import TestSupport
import Testing

@testable import Broker

/// What the clients of a walk ask for, and what becomes known by the answers.
extension Walk {
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

  func takeAnswers() {
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
}
