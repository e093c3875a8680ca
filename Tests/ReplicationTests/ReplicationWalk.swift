import Cluster
import Configuration
import Primitives
import Storage
import TestSupport

@testable import Replication

/// A random life of three replicas, all of it from a seed: what may happen at any time, then healing, then agreement.
struct ReplicationWalk {
  private let model: ReplicationModel
  private let random: SeededRandom
  private let isFlushedFirst: Bool
  /// Brokers that lost what they had not flushed, and are not back in the isr: with durability=replicated one at most.
  private var lossy: Set<BrokerID> = []

  var steps: [String] { model.steps }

  init(seed: UInt64, mutation: Mutation? = nil) throws {
    random = SeededRandom(seed: seed)
    isFlushedFirst = mutation == .acknowledgeBeforeFlush || random.chance(oneIn: 2)
    let minIsr = isFlushedFirst && mutation != .highWatermarkBelowMinIsr ? 1 + random.below(2) : 2
    let config = BrokerConfig().topicConfig(overrides: [
      "durability": isFlushedFirst ? "fsync" : "replicated", "min.insync.replicas": "\(minIsr)",
      "segment.bytes": random.chance(oneIn: 2) ? "1048576" : "300",
    ])
    model = try ReplicationModel(random: random, config: config, mutation: mutation)
  }

  mutating func run(_ count: Int) throws {
    for _ in 0..<count {
      if model.chance(30) { pass(Int64(random.below(200))) }
      for id in model.controller.image.isr where isBack(id) { lossy.remove(id) }
      try step()
    }
    try heal()
  }

  /// Whether a broker that lost something has been taken into the isr since.
  private func isBack(_ id: BrokerID) -> Bool {
    let isKnown = model.broker(id)?.brokerEpoch == model.controller.epoch(of: id)
    return isKnown && model.broker(id)?.isUp == true && !model.controller.image.doubtfulReplicas.contains(id)
  }

  private func pass(_ ms: Int64) {
    model.now = model.now.advanced(byMilliseconds: ms)
    model.wallClock = Timestamp(milliseconds: model.wallClock.milliseconds + ms)
  }

  private var anyBroker: ModelBroker { model.brokers[random.below(model.brokers.count)] }

  private mutating func step() throws {
    switch random.below(100) {
    case 0..<14: try model.produce(to: anyBroker)
    case 14..<34: try model.ask(anyBroker)
    case 34..<62: try deliver()
    case 62..<74: try model.flush(anyBroker)
    case 74..<77: try anyBroker.writeCheckpoints()
    case 77..<84: try model.learn(anyBroker, isNewest: model.chance(50))
    case 84..<87: try model.proposeIsr(anyBroker)
    case 87..<89: try disturbNetwork()
    case 89..<91: try control()
    case 91..<92: anyBroker.sessions = [:]
    case 92..<93: try deleteRecords()
    case 93..<96: try stop()
    default: try startOne()
    }
  }

  // MARK: the network

  private func deliver() throws {
    guard !model.network.isEmpty else { return }
    // Mostly in order, else by chance.
    try model.deliver(model.chance(70) ? 0 : random.below(model.network.count))
  }

  private func disturbNetwork() throws {
    switch random.below(5) {
    case 0 where !model.network.isEmpty: model.network.remove(at: random.below(model.network.count))
    case 1:
      guard !model.network.isEmpty, case .alter = model.network[0] else { return }
      model.network.append(model.network[0])
    case 2: try model.breakProposal(of: anyBroker)
    default: model.breakFetch(of: anyBroker)
    }
    if model.network.count > 40 { model.network.removeFirst() }
  }

  // MARK: the controller

  private mutating func control() throws {
    let broker = anyBroker
    switch random.below(6) {
    case 0:
      guard broker.isUp else { return }
      model.steps.append("\(broker.id.value) is lost from sight, and seen again")
      model.controller.fence(broker.id)
      model.controller.register(broker.id, isLossy: false)
    case 1:
      model.steps.append("\(broker.id.value) is lost from sight")
      model.controller.fence(broker.id)
    case 2, 3:
      if model.controller.moveLeader(to: broker.id) { model.steps.append("\(broker.id.value) is to lead") }
    case 4:
      if model.controller.setReplica(broker.id, isThere: false) {
        model.steps.append("\(broker.id.value) is no replica any more")
        if broker.isUp { try model.learn(broker) }
      }
    default:
      if model.controller.setReplica(broker.id, isThere: true) { model.steps.append("\(broker.id.value) is a replica") }
    }
    for broker in model.brokers where broker.isUp && !model.controller.isActive(broker.id) && model.chance(50) {
      model.controller.register(broker.id, isLossy: false)
    }
    try electUncleanly()
  }

  /// Where nobody may lead for doubts, somebody is let lead, sometimes.
  private mutating func electUncleanly() throws {
    guard !model.controller.image.doubtfulReplicas.isEmpty, model.controller.electUncleanly() else { return }
    let id = model.controller.image.leader
    model.steps.append("\(id.value) leads uncleanly")
    guard let leader = model.broker(id) else { return }
    for broker in model.brokers {
      broker.isForgiven = true
      broker.waits = []
    }
    try leader.look()
    model.checks.forgive(leader, among: model.brokers)
    model.producer += 1
    model.sequence = 0
    model.batch = nil
    lossy = []
    try model.learn(leader)
  }

  // MARK: brokers

  private func deleteRecords() throws {
    let broker = anyBroker
    // With its records go what a start after a crash knows of a producer: none may be about to be sent again.
    guard model.batch == nil, let partition = broker.partition, partition.isLeader,
      partition.highWatermark > partition.log.logStartOffset
    else { return }
    try partition.log.deleteRecords(before: partition.highWatermark, now: model.wallClock)
    model.steps.append("\(broker.id.value) deletes what is before \(partition.highWatermark.value)")
    broker.isChanged = true
    try broker.writeCheckpoints()
    try model.settle(broker)
  }

  private mutating func stop() throws {
    let broker = anyBroker
    guard broker.isUp else { return }
    let isPowerCut = model.chance(60) && (isFlushedFirst || lossy.isEmpty || lossy == [broker.id])
    if isPowerCut, !isFlushedFirst { lossy.insert(broker.id) }
    model.steps.append("\(broker.id.value) \(isPowerCut ? "loses its power" : "is killed")")
    broker.stop(isPowerCut: isPowerCut)
    model.checks.forget(broker.id)
    if model.chance(50) { model.controller.fence(broker.id) }
    if model.chance(50) { try start(broker) }
  }

  private mutating func startOne() throws {
    let broker = anyBroker
    if !broker.isUp { try start(broker) }
  }

  private func start(_ broker: ModelBroker) throws {
    model.controller.register(broker.id, isLossy: lossy.contains(broker.id))
    try broker.start(now: model.wallClock)
    broker.brokerEpoch = model.controller.epoch(of: broker.id)
    model.steps.append("\(broker.id.value) starts, its log ends at \(broker.partition?.log.logEndOffset.value ?? -1)")
    try model.learn(broker)
  }

  // MARK: healing

  /// Everybody is there, nothing is lost: soon all are in sync, with the same log (L1).
  private mutating func heal() throws {
    model.steps.append("healing")
    for broker in model.brokers where !broker.isUp { try start(broker) }
    for broker in model.brokers where !model.controller.isActive(broker.id) {
      model.controller.register(broker.id, isLossy: false)
    }
    for broker in model.brokers { _ = model.controller.setReplica(broker.id, isThere: true) }
    try electUncleanly()
    for _ in 0..<60 {
      pass(50)
      for broker in model.brokers {
        try model.learn(broker)
        try broker.writeCheckpoints()
        try model.flush(broker)
        try model.flush(broker)
        try model.ask(broker)
        while !model.network.isEmpty { try model.deliver(0) }
        if broker.askedToken != nil { model.breakFetch(of: broker) }
        try model.breakProposal(of: broker)
        try model.proposeIsr(broker)
      }
      if isWell { return }
    }
    let ends = model.brokers.map { "\($0.id.value) ends at \($0.partition?.log.logEndOffset.value ?? -1)" }
    throw Violation(
      invariant: "L1",
      what:
        "not well: isr \(model.controller.image.isr.map(\.value)), leader \(model.controller.image.leader.value), \(ends)"
    )
  }

  private var isWell: Bool {
    guard model.controller.image.isr.count == 3, let leader = model.broker(model.controller.image.leader),
      let end = leader.partition?.log.logEndOffset, leader.partition?.highWatermark == end
    else { return false }
    return model.brokers.allSatisfy { $0.partition?.log.logEndOffset == end }
  }
}
