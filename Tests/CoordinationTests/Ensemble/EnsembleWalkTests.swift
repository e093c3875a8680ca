import Cluster
import Coordination
import Foundation
import KafkaProtocol
import Primitives
import Simulation
import TestSupport
import Testing

/// Three brokers on an ensemble where everything fails, for a while; then everything must work.
private struct Walk {
  let cluster: SimulatedCluster
  let random: SeededRandom
  private let faultRarity: Int
  private var lastToken: UInt64 = 0
  /// What was asked to be appended, by token: the value each of its records has, and how many there are.
  private var asked: [RequestToken: (value: String, count: Int, epoch: Int32)] = [:]
  /// How many records have that value.
  private var counts: [String: Int] = [:]
  /// What everybody agrees on, by offset.
  private var log: [Int64: String] = [:]
  private var epochs: [Int64: Int32] = [:]
  /// Answered as appended.
  private var appended: [RequestToken: Offset] = [:]
  private var hasQuorum = true
  private(set) var problems: [String] = []
  private(set) var appendedCount = 0
  private(set) var reignCount = 0
  private var knownReigns: [Int32: BrokerID] = [:]
  private var reignStarts: [Int32: Offset] = [:]
  private var retired: [CoordinationProbe] = []

  init(seed: UInt64) {
    cluster = SimulatedCluster(seed: seed)
    random = SeededRandom(seed: seed)
    faultRarity = [30, 60, 200][Int(seed % 3)]
    for id in [1, 2, 3] as [Int32] { start(id) }
  }

  private func start(_ id: Int32) {
    cluster.start(id) { settings in
      settings.nodeBytesMax = 220
      settings.snapshotNodeCount = 10
    }
  }

  mutating func run(steps: Int) {
    for _ in 0..<steps {
      step()
      cluster.run(ms: Int64(random.below(120)))
      check()
      if !problems.isEmpty { return }
    }
    heal()
    finish()
  }

  private mutating func step() {
    let broker = cluster.brokers[random.below(cluster.brokers.count)]
    // Some walks have few faults and get far, others have many.
    switch random.below(faultRarity) {
    case 0: broker.client.cut(answersOnly: random.chance(oneIn: 3))
    case 1...3: broker.client.heal()
    case 4: broker.client.loseNextAnswer(.beforeApplying)
    case 5, 6: broker.client.loseNextAnswer(.afterApplying)
    case 7: broker.client.loseNextAnswer(.applyingLater(ms: random.below(3000)))
    case 8: cluster.ensemble.expire(broker.client)
    case 9: if random.chance(oneIn: 3) { cluster.ensemble.loseQuorum() }
    case 10, 11: cluster.ensemble.regainQuorum()
    case 12: pause(broker)
    case 13, 14: resume(broker)
    case 15: cluster.ensemble.lag(server: random.below(3), ms: random.below(400))
    case 16: restart(broker)
    case 17: cluster.run(ms: Int64(random.below(9000)))
    case 18: removeController()
    default: append(on: broker)
    }
  }

  private func pause(_ broker: SimulatedCluster.Broker) {
    broker.client.pause()
    broker.isPaused = true
  }

  private func resume(_ broker: SimulatedCluster.Broker) {
    broker.client.resume()
    broker.isPaused = false
    cluster.turn(broker)
  }

  private mutating func restart(_ broker: SimulatedCluster.Broker) {
    guard random.chance(oneIn: 2) else { return }
    cluster.kill(broker)
    collect(broker.probe)
    retired.append(broker.probe)
    start(broker.probe.id.value)
  }

  /// Somebody deletes the node by hand, as people do to force an election.
  private func removeController() {
    cluster.ensemble.write([.deleteAny("/ottla/test/controller")])
  }

  private mutating func append(on broker: SimulatedCluster.Broker) {
    guard !broker.isPaused, broker.probe.pending == nil, let epoch = broker.probe.controllerEpoch else { return }
    lastToken += 1
    let token = RequestToken(lastToken)
    let count = random.chance(oneIn: 4) ? 1 + random.below(30) : 1
    let value = "\(epoch)/\(lastToken)"
    asked[token] = (value, count, epoch)
    counts[value] = count
    let names = (0..<count).map { _ in "key\(random.below(12))" }
    broker.probe.append(names.map { .note($0, value) }, token: token)
  }

  // -- what must hold

  private mutating func check() {
    for broker in cluster.brokers { collect(broker.probe) }
  }

  private mutating func collect(_ probe: CoordinationProbe) {
    problems += probe.violations
    if let refusal = probe.refusal { problems.append("broker \(probe.id.value) was refused: \(refusal)") }
    for (offset, record) in probe.records {
      guard case .config(let config) = record, let value = config.value else { continue }
      if let known = log.updateValue(value, forKey: offset), known != value {
        problems.append("offset \(offset) is \(known) and \(value)")
      }
      epochs[offset] = value.split(separator: "/").first.flatMap { Int32($0) }
    }
    // A change is told as a whole.
    for (offset, count) in probe.runs {
      guard let value = log[offset], let wanted = counts[value], wanted != count else { continue }
      problems.append("\(value) was told in parts: \(count) of \(wanted) records at \(offset)")
    }
    for (token, offset) in probe.appended where appended[token] == nil {
      appended[token] = offset
      appendedCount += 1
      guard let (value, count, _) = asked[token] else { continue }
      for distance in 0..<Int64(count) where log[offset.value - distance] != value {
        problems.append("\(token) appended at \(offset), where \(String(describing: log[offset.value - distance])) is")
      }
    }
    for epoch in probe.reigns {
      if let known = knownReigns.updateValue(probe.id, forKey: epoch), known != probe.id {
        problems.append("epoch \(epoch) belongs to \(known) and \(probe.id)")
      }
    }
    reignStarts.merge(probe.reignStarts) { known, _ in known }
    reignCount = knownReigns.count
  }

  private mutating func heal() {
    cluster.ensemble.regainQuorum()
    for server in 0..<3 { cluster.ensemble.lag(server: server, ms: 0) }
    for broker in cluster.brokers {
      broker.client.heal()
      if broker.isPaused { resume(broker) }
    }
  }

  /// Everybody is registered, one is the controller, what it appends reaches all, and all know the same. A controller that
  /// has not noticed yet that it is none any more may be taken for one: then it is tried again.
  private mutating func finish() {
    for _ in 0..<5 {
      guard settle() else { return }
      guard let leader = cluster.leaders.first else { continue }
      append(on: leader)
      let token = RequestToken(lastToken)
      _ = cluster.run(ms: 20_000) { leader.probe.pending == nil }
      guard leader.probe.appended[token] != nil else { continue }
      let agreed = cluster.run(ms: 20_000) { [cluster] in
        cluster.brokers.allSatisfy { $0.probe.image.offset == leader.probe.image.offset }
      }
      check()
      if !agreed { problems.append("the last append did not reach all: \(cluster.brokers.map(\.probe.image.offset))") }
      return compare()
    }
    problems.append("nothing can be appended any more")
  }

  private mutating func settle() -> Bool {
    let settled = cluster.run(ms: 60_000) { [cluster] in
      cluster.leaders.count == 1 && cluster.brokers.allSatisfy { $0.probe.epoch != nil && $0.probe.isLoaded }
        && cluster.leaders[0].probe.present?.count == 3 && cluster.leaders[0].probe.pending == nil
    }
    check()
    if !settled { problems.append("no controller with three brokers: \(cluster.leaders.map(\.probe.id))") }
    return settled
  }

  private mutating func compare() {
    let images = cluster.brokers.map { $0.probe.image.snapshotRecords() }
    if images.contains(where: { $0 != images[0] }) { problems.append("the brokers do not agree") }
    // What a fenced controller wrote would stand behind what its successor wrote.
    var last: Int32 = 0
    for offset in epochs.keys.sorted() {
      guard let epoch = epochs[offset] else { continue }
      if epoch < last { problems.append("offset \(offset) was appended under epoch \(epoch), behind \(last)") }
      last = max(last, epoch)
    }
    // Who was elected knew by then all that its predecessors will ever have appended.
    for (epoch, start) in reignStarts {
      for (offset, writer) in epochs where offset > start.value && writer < epoch {
        problems.append("epoch \(epoch) began at \(start), and offset \(offset) came from epoch \(writer)")
      }
    }
    let nodes = cluster.ensemble.paths.filter { $0.hasPrefix("/ottla/test/metadata/") }
    if nodes.count > 150 { problems.append("\(nodes.count) nodes of metadata: the log is not truncated") }
    // All parts of a change are there, or none.
    var counts: [String: Int] = [:]
    for value in log.values { counts[value, default: 0] += 1 }
    for (value, count, _) in asked.values {
      guard let found = counts[value] else { continue }
      if found > count { problems.append("\(value) is there \(found) times, not \(count)") }
    }
  }
}

/// `OTTLA_SEEDS=1000` runs more of them than the usual 60, `OTTLA_SEED_FIRST=17` begins with another than 0.
@Suite struct EnsembleWalkTests {
  private static func number(_ name: String, else usual: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? usual
  }

  @Test func whateverFailsNothingAppendedIsLostAndAllAgree() {
    let first = Self.number("OTTLA_SEED_FIRST", else: 0)
    var appendedCount = 0
    for seed in first..<first + Self.number("OTTLA_SEEDS", else: 60) {
      var walk = Walk(seed: seed)
      walk.run(steps: 400)
      appendedCount += walk.appendedCount
      let again = "OTTLA_SEED_FIRST=\(seed) OTTLA_SEEDS=1 swift test --filter EnsembleWalkTests"
      #expect(walk.problems.isEmpty, "seed \(seed): \(walk.problems.prefix(5))\nagain: \(again)")
      #expect(walk.appendedCount > 0, "seed \(seed): no append in \(walk.reignCount) terms")
    }
    #expect(appendedCount > 0)
  }
}
