import Cluster
import Configuration
import KafkaProtocol
import Primitives
import Records
import Storage
import TestSupport

@testable import Replication

/// Three replicas, a controller, a producer, and a network that loses, delays and reorders: everything that may happen is a
/// method, and each checks what it can.
final class ReplicationModel {
  enum Message {
    case fetch(from: BrokerID, to: BrokerID, FetchRequest, token: Int)
    case fetched(to: BrokerID, FetchResponse, token: Int)
    case alter(from: BrokerID, brokerEpoch: Int64, IsrProposal)
    case altered(to: BrokerID, IsrProposal, IsrAnswer)
  }

  let random: SeededRandom
  let config: TopicConfig
  let mutation: Mutation?
  var controller: ModelController
  let brokers: [ModelBroker]
  var checks: ReplicationChecks
  var network: [Message] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  var wallClock = Timestamp(milliseconds: 1_700_000_000_000)
  var nextToken = 0
  let validator = BatchValidator()
  // The producer: one batch at a time, sent again until it is acknowledged.
  var producer: Int64 = 1
  var sequence: Int32 = 0
  var batchNumber = 0
  var batch: [UInt8]?
  /// What was done, for whoever has to find out.
  var steps: [String] = []

  init(random: SeededRandom, config: TopicConfig, mutation: Mutation?) throws {
    self.random = random
    self.config = config
    self.mutation = mutation
    let ids = (1...3).map { BrokerID(Int32($0)) }
    controller = ModelController(replicas: ids, mutation: mutation)
    brokers = ids.map { ModelBroker($0, config, mutation) }
    checks = ReplicationChecks(minInsyncReplicas: Int(config.minInsyncReplicas), isFlushedFirst: config.isFlushedFirst)
    for broker in brokers {
      try broker.start(now: wallClock)
      broker.brokerEpoch = controller.epoch(of: broker.id)
      try learn(broker)
    }
  }

  func broker(_ id: BrokerID) -> ModelBroker? { brokers.first { $0.id == id } }

  func chance(_ percent: Int) -> Bool { random.below(100) < percent }

  // MARK: metadata

  /// A broker hears of the newest state, or of the next one.
  func learn(_ broker: ModelBroker, isNewest: Bool = true) throws {
    guard let partition = broker.partition, broker.view < controller.views.count - 1 else { return }
    broker.view = isNewest ? controller.views.count - 1 : broker.view + 1
    let view = controller.views[broker.view]
    // A broker hears of its own registration before it takes part.
    broker.brokerEpoch = max(broker.brokerEpoch, view.brokers[broker.id]?.epoch ?? -1)
    broker.fetcher?.brokerEpoch = broker.brokerEpoch
    let change = partition.apply(view.image, brokers: view.brokers, now: now)
    steps.append(
      "\(broker.id.value) knows state \(broker.view), leader \(view.image.leader.value) in term \(view.image.leaderEpoch.value), isr \(view.image.isr.map(\.value)): \(change)"
    )
    try follow(change, broker, partition)
    _ = partition.advanceHighWatermark()
    broker.isChanged = true
    try settle(broker)
  }

  private func follow(_ change: RoleChange, _ broker: ModelBroker, _ partition: Partition) throws {
    switch change {
    case .none: break
    case .leads(let epoch):
      broker.fetcher = nil
      broker.askedToken = nil
      broker.isForgiven = false
      try broker.look()
      try checks.leads(broker, epoch, isCurrent: epoch == controller.image.leaderEpoch)
    case .follows(let leader, let epoch):
      broker.waits = []
      let isSame = broker.fetcher?.leader == leader
      broker.fetcher = fetcher(broker, leader)
      if !isSame { broker.askedToken = nil }
      broker.fetcher?.add(TopicIDPartition(ModelBroker.topicID, 0), leaderEpoch: epoch)
      try partition.truncateToHighWatermark(now: wallClock)
    case .pauses:
      broker.waits = []
      broker.fetcher = nil
      broker.askedToken = nil
    case .isNoReplica:
      try broker.deleteLog()
      checks.forget(broker.id)
      broker.stop(isPowerCut: false)
      try broker.start(now: wallClock)
      broker.view = controller.views.count - 1
      let view = controller.views[broker.view]
      _ = broker.partition?.apply(view.image, brokers: view.brokers, now: now)
    }
  }

  private func fetcher(_ broker: ModelBroker, _ leader: BrokerID) -> ReplicaFetcher {
    // The same leader in a new term: the fetcher stays, and with it what is under way.
    if var fetcher = broker.fetcher, fetcher.leader == leader {
      fetcher.brokerEpoch = broker.brokerEpoch
      return fetcher
    }
    var fetcher = ReplicaFetcher(
      leader: leader, brokerID: broker.id, brokerEpoch: broker.brokerEpoch,
      config: ReplicaFetcherConfig(
        partitionBytesMax: 200, responseBytesMax: 400, bytesMin: 1, waitMsMax: 500, backoffMs: 50))
    fetcher.mutate(mutation)
    return fetcher
  }

  // MARK: a turn's end

  /// What a shard does after it has done something with a partition: writes, lets the high watermark go on, answers who
  /// waits, checks.
  func settle(_ broker: ModelBroker) throws {
    guard let partition = broker.partition else { return }
    try partition.log.writePending()
    _ = partition.advanceHighWatermark()
    broker.shown = max(broker.shown, partition.highWatermark.value)
    try broker.look()
    if partition.isLeader {
      let safe = partition.highWatermark.value
      for end in broker.waits where end <= safe { acknowledge(end, broker) }
      broker.waits.removeAll { $0 <= safe }
    } else {
      broker.waits = []
    }
    try checks.everything(self, changed: broker)
  }

  private func acknowledge(_ end: Int64, _ broker: ModelBroker) {
    guard let found = broker.batches.first(where: { $0.end == end }) else { return }
    checks.acknowledged(found)
    guard found.producer == producer, found.sequence == sequence, batch != nil else { return }
    batch = nil
    sequence += 1
    steps.append("acknowledged \(found)")
  }

  // MARK: producing

  /// The producer sends its batch (a new one, or the last one again) to a broker that believes to lead.
  func produce(to broker: ModelBroker) throws {
    guard let partition = broker.partition, partition.isLeader else { return }
    let bytes = batch ?? newBatch()
    batch = bytes
    let result = bytes.withUnsafeBytes { records -> Result<Partition.Appended, BatchRejection> in
      do throws(BatchRejection) {
        return .success(
          try partition.appendAsLeader(
            records, version: 9, requiresAllReplicas: chance(80), validator: validator, now: wallClock))
      } catch { return .failure(error) }
    }
    switch result {
    case .success(let appended):
      let end = appended.isNew ? partition.log.logEndOffset.value : -1
      steps.append(
        "\(broker.id.value) appends at \(appended.baseOffset.value), sequence \(sequence), new \(appended.isNew)")
      broker.isChanged = true
      try partition.log.writePending()
      try broker.look()
      let found = broker.batches.first { $0.base == appended.baseOffset.value }
      broker.waits.append(appended.isNew ? end : found?.end ?? 0)
    case .failure(let error):
      steps.append("\(broker.id.value) refuses sequence \(sequence): \(error.code)")
      try checks.refused(error.code, by: broker, self)
    }
    try settle(broker)
  }

  private func newBatch() -> [UInt8] {
    batchNumber += 1
    var builder = RecordBatchBuilder(
      producerID: ProducerID(producer), producerEpoch: ProducerEpoch(0), baseSequence: sequence)
    builder.append(key: nil, value: Array("record \(batchNumber)".utf8), timestamp: wallClock)
    return builder.build()
  }

  // MARK: the disk

  func flush(_ broker: ModelBroker) throws {
    guard let log = broker.partition?.log else { return }
    if let work = broker.flush {
      broker.flush = nil
      try work.run(broker.disk)
      log.finishFlush(work, failure: nil)
      steps.append("\(broker.id.value) has flushed up to \(log.recoveryPoint.value)")
    } else {
      broker.flush = try log.beginFlush()
    }
    try settle(broker)
  }
}
