internal import KafkaProtocol
internal import Primitives
internal import Records

/// A topic that is made, filled, emptied, deleted and made again under the same name (R15).
final class FleetingTopic: SimulatedClient {
  private static let name = "fleeting"
  private let partition = TopicPartition(FleetingTopic.name, 0)
  private var isStopping = false
  private var isAsking = false
  private var number = 0
  private var end: Int64 = 0

  override var isDone: Bool { !isAsking }

  func start() { create() }
  func stop() { isStopping = true }

  private func then(_ body: @escaping () -> Void) {
    isAsking = false
    guard !isStopping else { return }
    call(inMs: 30 + random.below(100)) { [unowned self] in
      guard !isStopping else { return }
      isAsking = true
      body()
    }
  }

  private func next() {
    then { [unowned self] in
      switch random.below(10) {
      case 0: delete()
      case 1: deleteRecords()
      default: produce()
      }
    }
  }

  private func create() {
    then { [unowned self] in
      guard let connection = anyConnection() else { return create() }
      let request = CreateTopicsRequest(
        topics: [.init(name: Self.name, numPartitions: 1, replicationFactor: -1)], timeoutMs: 1000)
      connection.send(.createTopics(request), version: 7, timeoutMs: 1500) { [weak self] answer in
        guard let self else { return }
        guard case .createTopics(let body)? = answer?.response, let code = body.topics.first?.errorCode,
          code == .none || code == .topicAlreadyExists
        else { return create() }
        end = 0
        next()
      }
    }
  }

  private func delete() {
    guard let connection = anyConnection() else { return next() }
    let request = DeleteTopicsRequest(topics: [.init(name: Self.name)], timeoutMs: 1000)
    connection.send(.deleteTopics(request), version: 6, timeoutMs: 1500) { [weak self] answer in
      guard let self else { return }
      guard case .deleteTopics(let body)? = answer?.response, let code = body.responses.first?.errorCode,
        code == .none || code == .unknownTopicOrPartition
      else { return next() }
      simulator.reached(.topicDeleted)
      create()
    }
  }

  private func produce() {
    guard let leader = leader(of: partition), let connection = connection(to: leader.broker) else { return next() }
    number += 1
    var builder = RecordBatchBuilder()
    builder.append(
      key: nil, value: Array("fleeting \(number)".utf8), timestamp: Timestamp(milliseconds: NodeClock.epochMs))
    let request = ProduceRequest(
      acks: -1, timeoutMs: 500,
      topicData: [.init(name: Self.name, partitionData: [.init(index: 0, records: .bytes(builder.build()))])])
    connection.send(.produce(request), version: 12, timeoutMs: 1000) { [weak self] answer in
      guard let self else { return }
      defer { next() }
      guard case .produce(let body)? = answer?.response, let part = body.responses.first?.partitionResponses.first
      else { return }
      if part.errorCode == .none { end = part.baseOffset + 1 } else { forgetLeader(of: partition) }
    }
  }

  private func deleteRecords() {
    guard end > 1, let leader = leader(of: partition), let connection = connection(to: leader.broker) else {
      return next()
    }
    let offset = Int64(random.below(Int(end)))
    simulator.checkers.replicas.noteDeletion(partition, below: offset)
    let request = DeleteRecordsRequest(
      topics: [.init(name: Self.name, partitions: [.init(partitionIndex: 0, offset: offset)])], timeoutMs: 700)
    connection.send(.deleteRecords(request), version: 2, timeoutMs: 1000) { [weak self] answer in
      guard let self else { return }
      defer { next() }
      guard case .deleteRecords(let body)? = answer?.response, let part = body.topics.first?.partitions.first,
        part.errorCode == .none
      else { return }
      simulator.reached(.recordsDeleted)
    }
  }
}
