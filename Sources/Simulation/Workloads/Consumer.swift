internal import KafkaProtocol
internal import Primitives
internal import Records

/// A consumer of one partition, from its start on, and a look at its end now and then.
final class Consumer: SimulatedClient {
  private let partition: TopicPartition
  private var position: Int64 = 0
  private var isStopping = false

  init(_ simulator: ClusterSimulator, party: Int32, partition: TopicPartition) {
    self.partition = partition
    super.init(simulator, party: party)
  }

  func start() { next() }

  func stop() { isStopping = true }

  private func next() {
    guard !isStopping else { return }
    guard let leader = leader(of: partition), let connection = connection(to: leader.broker) else {
      return call(inMs: 50 + random.below(100)) { [unowned self] in next() }
    }
    if random.chance(percent: 20) { return lookAtEnd(connection, leader.term) }
    let request = FetchRequest(
      maxWaitMs: Int32(random.pick([0, 100])), minBytes: 1, maxBytes: 1 << 20,
      topics: [
        .init(
          topic: partition.topic,
          partitions: [
            .init(
              partition: partition.partition, currentLeaderEpoch: leader.term, fetchOffset: position,
              partitionMaxBytes: Int32(random.pick([200, 1 << 20])))
          ])
      ])
    connection.send(.fetch(request), version: 12, timeoutMs: 1500) { [weak self] answer in self?.take(answer) }
  }

  private func take(_ answer: ClientAnswer?) {
    defer { call(inMs: random.within(simulator.consumePauseMs)) { [unowned self] in next() } }
    guard let answer, case .fetch(let body) = answer.response, let part = body.responses.first?.partitions.first else {
      return
    }
    guard part.errorCode == .none else {
      if part.errorCode == .offsetOutOfRange {
        simulator.checkers.clients.outOfRange(partition, position)
        position = random.chance(percent: 50) ? 0 : position
      }
      return noteLeader(part.currentLeader.leaderId, part.currentLeader.leaderEpoch, of: partition)
    }
    let bytes = answer.frame.withUnsafeBytes { part.records.resolved(in: $0).map { Array($0) } ?? [] }
    for (header, batch) in Batches(bytes) {
      simulator.checkers.clients.saw(partition, header, isSound: batch.withUnsafeBytes { header.checksumMatches($0) })
      position = max(position, header.nextOffset.value)
    }
    // Now and then it begins anew: what was there must still be there.
    if random.chance(percent: 2) { position = 0 }
  }

  private func lookAtEnd(_ connection: ClientConnection, _ term: Int32) {
    let known = simulator.checkers.clients.listedEnd(partition)
    let request = ListOffsetsRequest(
      topics: [
        .init(
          name: partition.topic,
          partitions: [.init(partitionIndex: partition.partition, currentLeaderEpoch: term, timestamp: -1)])
      ])
    connection.send(.listOffsets(request), version: 7, timeoutMs: 1000) { [weak self] answer in
      guard let self else { return }
      defer { call(inMs: random.within(simulator.consumePauseMs)) { [unowned self] in next() } }
      guard case .listOffsets(let body)? = answer?.response, let part = body.topics.first?.partitions.first,
        part.errorCode == .none
      else { return }
      simulator.checkers.clients.listed(partition, part.offset, knownBefore: known)
    }
  }
}

/// The whole batches of a fetched field.
struct Batches: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> (RecordBatchHeader, [UInt8])? {
    let header = bytes.withUnsafeBytes { RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: $0[position...])) }
    guard let header, header.totalByteCount >= RecordBatchHeader.byteCount,
      header.totalByteCount <= bytes.count - position
    else { return nil }
    defer { position += header.totalByteCount }
    return (header, Array(bytes[position..<position + header.totalByteCount]))
  }
}
