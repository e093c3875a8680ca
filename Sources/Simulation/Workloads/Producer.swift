internal import KafkaProtocol
internal import Primitives
internal import Records

/// An idempotent producer of one partition, acks=all: up to three batches under way, sent again with the same sequences until
/// they are acknowledged.
final class Producer: SimulatedClient {
  private struct Batch {
    let sequence: Int32
    let count: Int32
    let records: [UInt8]
    var isSent = false
  }

  private let partition: TopicPartition
  private let name: Int
  private var producerID: Int64 = -1
  private var producerEpoch: Int16 = 0
  private var nextSequence: Int32 = 0
  private var nextNumber = 0
  private var batches: [Batch] = []
  private var isIdentifying = false
  /// Answers to what was sent before this was raised mean nothing.
  private var attempt = 0
  /// The connection that batches under way went out on: no others go out on another one.
  private var way: ClientConnection?
  private var pausedUntil = Instant(nanoseconds: 0)
  private(set) var acknowledgedCount = 0
  private let inFlightMax: Int
  var isStopping = false

  init(_ simulator: ClusterSimulator, party: Int32, partition: TopicPartition, name: Int) {
    self.partition = partition
    self.name = name
    inFlightMax = simulator.random.pick([1, 2, 3])
    super.init(simulator, party: party)
  }

  override var isDone: Bool { batches.isEmpty }

  func start() {
    step()
    tick()
  }

  private func tick() {
    if !isStopping, batches.count < inFlightMax, producerID >= 0, !simulator.isResting(partition) { makeBatch() }
    step()
    if isStopping, isDone { return }
    call(inMs: random.within(simulator.producePauseMs)) { [unowned self] in tick() }
  }

  private func makeBatch() {
    var builder = RecordBatchBuilder(
      producerID: ProducerID(producerID), producerEpoch: ProducerEpoch(producerEpoch), baseSequence: nextSequence)
    let count = 1 + random.below(3)
    for _ in 0..<count {
      nextNumber += 1
      let padding = String(repeating: "x", count: random.below(10) == 0 ? 200 : random.below(40))
      builder.append(
        key: nil, value: Array("\(name).\(nextNumber) \(padding)".utf8),
        timestamp: Timestamp(milliseconds: NodeClock.epochMs))
    }
    batches.append(Batch(sequence: nextSequence, count: Int32(count), records: builder.build()))
    nextSequence += Int32(count)
  }

  private func step() {
    guard simulator.now >= pausedUntil else { return }
    guard producerID >= 0 else { return identify() }
    guard batches.contains(where: { !$0.isSent }), let leader = leader(of: partition),
      let connection = connection(to: leader.broker)
    else { return }
    guard way == nil || way === connection || !batches.contains(where: \.isSent) else { return }
    way = connection
    for place in batches.indices where !batches[place].isSent {
      batches[place].isSent = true
      let batch = batches[place]
      let attempt = attempt
      let request = ProduceRequest(
        acks: -1, timeoutMs: 700,
        topicData: [
          .init(
            name: partition.topic, partitionData: [.init(index: partition.partition, records: .bytes(batch.records))])
        ])
      connection.send(.produce(request), version: 12, timeoutMs: 1500) { [weak self] answer in
        self?.take(answer, batch.sequence, attempt)
      }
    }
  }

  private func identify() {
    guard !isIdentifying, let connection = anyConnection() else { return }
    isIdentifying = true
    connection.send(.initProducerId(InitProducerIdRequest()), version: 4, timeoutMs: 1000) { [weak self] answer in
      guard let self else { return }
      isIdentifying = false
      guard case .initProducerId(let body)? = answer?.response, body.errorCode == .none else { return pause() }
      simulator.checkers.clients.gaveProducerID(body.producerId, epoch: body.producerEpoch)
      producerID = body.producerId
      producerEpoch = body.producerEpoch
      nextSequence = 0
    }
  }

  private func pause() {
    pausedUntil = simulator.now.advanced(byMilliseconds: Int64(20 + random.below(100)))
  }

  /// Everything is to be sent again, in its order.
  private func startAgain() {
    attempt += 1
    for place in batches.indices { batches[place].isSent = false }
    pause()
  }

  private func take(_ answer: ClientAnswer?, _ sequence: Int32, _ attempt: Int) {
    guard attempt == self.attempt, let place = batches.firstIndex(where: { $0.sequence == sequence }) else { return }
    guard case .produce(let body)? = answer?.response,
      let part = body.responses.first?.partitionResponses.first
    else { return startAgain() }
    switch part.errorCode {
    case .none: acknowledged(place, part.baseOffset)
    case .duplicateSequenceNumber: acknowledged(place, -1)
    case .outOfOrderSequenceNumber, .unknownProducerId, .invalidProducerEpoch:
      // Behind a batch that failed it has to be like this; the first of all has everything before it acknowledged.
      if place == 0 { lostItsPlace(part.errorCode) } else { startAgain() }
    default:
      simulator.trace.say(
        "client \(party): sequence \(sequence) of \(partition) was refused with \(part.errorCode.name)")
      if part.errorCode == .notEnoughReplicas { simulator.reached(.notEnoughReplicas) }
      noteLeader(part.currentLeader.leaderId, part.currentLeader.leaderEpoch, of: partition)
      startAgain()
    }
  }

  private func acknowledged(_ place: Int, _ baseOffset: Int64) {
    let batch = batches.remove(at: place)
    acknowledgedCount += 1
    simulator.checkers.clients.acknowledged(
      partition, baseOffset: baseOffset, producerID: producerID, sequence: batch.sequence, count: batch.count)
  }

  private func lostItsPlace(_ code: ErrorCode) {
    simulator.checkers.clients.lostSequence(partition, producerID: producerID, code)
    attempt += 1
    producerID = -1
    batches = []
    pause()
  }
}
