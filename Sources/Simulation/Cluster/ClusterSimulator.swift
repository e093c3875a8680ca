internal import Broker
internal import Cluster
internal import Configuration
internal import Coordination
internal import KafkaProtocol
package import Primitives

/// A cluster of real brokers on a simulated clock, network, disks and ensemble: one seed, one run.
///
/// One queue of events, one thread. Faults come for a while, then they stop, and everything has to come together again (L1).
package final class ClusterSimulator {
  package let seed: UInt64
  package let knobs: Knobs
  package let trace: Trace
  package private(set) var reachedStates: Set<Sometimes> = []
  let random: SimulationRandom
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private var queue = EventQueue()
  private(set) var nodes: [Machine] = []
  private(set) var network: ClusterNetwork!
  private(set) var checkers: Checkers!
  let ensemble: SimulatedEnsemble
  private(set) var faults: Faults!
  private(set) var admin: Admin!
  private(set) var producers: [Producer] = []
  private(set) var consumers: [Consumer] = []
  private(set) var keepers: [OffsetKeeper] = []
  private(set) var members: [GroupMember] = []
  private(set) var fleeting: FleetingTopic?
  private(set) var isHealing = false
  /// Until when nobody writes to a partition.
  private var restingUntil: [TopicPartition: Instant] = [:]
  private var lastParty: Int32 = 0
  #if DEBUG
    /// The bug of the past that the brokers have.
    package let mutation: Mutation?
  #endif

  static let topic = "orders"

  private init(seed: UInt64, _ random: SimulationRandom, _ knobs: Knobs, _ trace: Trace, _ mutation: MutationName?)
    throws
  {
    self.seed = seed
    self.random = random
    self.knobs = knobs
    self.trace = trace
    #if DEBUG
      self.mutation = mutation?.mutation
    #endif
    ensemble = SimulatedEnsemble(seed: random.next(), latencyMsMax: random.pick([1, 4, 15]))
    network = ClusterNetwork(self)
    checkers = Checkers(self)
    network.delayUsMax = random.pick([200, 1000, 5000])
    ensemble.advance(to: now)
    for number in 1...knobs.brokerCount {
      let id = BrokerID(Int32(number))
      let config = try ConfigurationSources(settings: knobs.settings(of: id)).load().config
      nodes.append(Machine(id, self, config: config, shardCount: knobs.shardCount))
    }
    ensemble.onChange = { [unowned self] writes, session in checkers.metadata.changed(writes, by: session) }
    faults = Faults(self)
    admin = Admin(self, party: makeParty())
  }

  /// A run with everything drawn by `seed`.
  package convenience init(
    seed: UInt64, trace: Trace = Trace(), mutation: MutationName? = nil, adjust: (inout Knobs) -> Void = { _ in }
  ) throws {
    let random = SimulationRandom(seed: seed)
    var knobs = Knobs(random.split())
    adjust(&knobs)
    try self.init(seed: seed, random, knobs, trace, mutation)
  }

  // MARK: looking things up

  func node(_ id: BrokerID) -> Machine? { node(party: id.value) }
  func node(party: Int32) -> Machine? { party > 0 && Int(party) <= nodes.count ? nodes[Int(party) - 1] : nil }
  func node(host: String) -> Machine? { nodes.first { $0.host == host } }

  private func makeParty() -> Int32 {
    lastParty -= 1
    return lastParty
  }

  var clientParties: [Int32] { lastParty < 0 ? Array(lastParty...(-1)) : [] }

  func reached(_ state: Sometimes) { reachedStates.insert(state) }

  /// What was done, in a few words.
  package var summary: String {
    "\(trace.eventCount) events, \(checkers.clients.acknowledgedCount) batches acknowledged, "
      + "\(checkers.clients.seenCount) consumed, \(now.milliseconds(since: Instant(nanoseconds: 0))) ms"
  }

  /// Lets a partition rest from its producers.
  func rest(_ partition: TopicPartition, ms: Int64) { restingUntil[partition] = now.advanced(byMilliseconds: ms) }
  func isResting(_ partition: TopicPartition) -> Bool { restingUntil[partition].map { now < $0 } ?? false }

  func turnDelayUs() -> Int { 1 + random.below(30) }
  var producePauseMs: ClosedRange<Int> { 5...60 }
  var consumePauseMs: ClosedRange<Int> { 20...150 }

  /// Whether bits were flipped on a broker's disk.
  func hasDamage(_ node: Machine) -> Bool { faults.damaged.contains(node.id) }

  func noteFailedStart(_ node: Machine, _ why: String) { faults.restartLater(node) }
  func noteHalt(_ node: Machine, _ why: String) { faults.restartLater(node) }

  func uncleanElection(of record: PartitionRecord, _ before: PartitionImage) {
    // Who leads when a reassignment is done may have come into sync by the same record, when the leader before has asked for
    // it: it has everything then.
    let leader = BrokerID(record.leader)
    let key = TopicIDPartition(record.topicId, record.partitionIndex)
    let isAllowed = knobs.mayLeadUncleanly || faults.operatorElected.contains(key)
    if before.leader != .none, !before.addingReplicas.isEmpty, record.addingReplicas.isEmpty,
      record.isr.contains(record.leader), !before.doubtfulReplicas.contains(leader),
      // Not known: where nobody has allowed less it must have everything when it leads, which is looked at then.
      checkers.replicas.hasEverything(leader, key) ?? !isAllowed
    {
      return
    }
    reached(.doubtfulLeader)
    if !isAllowed {
      checkers.violate("R2", "broker \(record.leader) leads uncleanly, and nobody has allowed it")
    }
    checkers.replicas.forgive(key)
  }

  // MARK: time

  func schedule(_ event: SimulatedEvent, at time: Instant) { queue.add(event, at: max(time, now)) }
  func schedule(_ event: SimulatedEvent, inUs us: Int64) { schedule(event, at: now.advanced(byMicroseconds: Int(us))) }

  func call(_ label: String, inMs ms: Int64 = 0, _ body: @escaping () -> Void) {
    schedule(.call(label, body), at: now.advanced(byMilliseconds: ms))
  }

  /// Lets everything happen up to `end`, or until a checker finds something.
  private func run(until end: Instant) {
    while checkers.violation == nil {
      let nextOwn = queue.first ?? .distantFuture
      let nextEnsemble = ensemble.nextAction
      let next = min(nextOwn, nextEnsemble)
      guard next <= end else { break }
      now = next
      trace.now = next
      if nextEnsemble <= nextOwn {
        ensemble.advance(to: next)
        wakeClients()
      } else if let entry = queue.removeFirst() {
        ensemble.advance(to: next)
        perform(entry.event)
        wakeClients()
      }
    }
    if checkers.violation == nil { now = end }
  }

  private func wakeClients() {
    for node in nodes where node.client?.hasEvents == true { node.wakeForCoordination() }
  }

  private func perform(_ event: SimulatedEvent) {
    switch event {
    case .turn(let node, let shard, let life):
      trace.note(1, Int(node.id.value), shard)
      node.turn(shard, life: life)
    case .disk(let node, let disk):
      trace.note(2, Int(node.id.value))
      disk.finishFirst()
    case .arrival(let way):
      trace.note(3, Int(way.from), Int(way.to))
      network.arrive(way)
    case .call(let label, let body):
      trace.note(4, label.utf8.count)
      body()
    }
  }

  // MARK: the run

  /// Runs the whole seed; throws what was found.
  package func run() throws(Violation) {
    do throws(Violation) { try runPhases() } catch {
      StateDump.write(self)
      throw error
    }
  }

  private func runPhases() throws(Violation) {
    trace.say("seed \(seed): \(knobs.text)")
    for node in nodes { node.start() }
    admin.create(Self.topic, partitions: knobs.partitionCount) { [unowned self] in startClients() }
    call("faults", inMs: 500) { [unowned self] in faults.begin() }
    run(until: now.advanced(byMilliseconds: Int64(knobs.faultMs)))
    try throwViolation()
    trace.say("the faults stop")
    isHealing = true
    faults.stop()
    try converge()
    try Convergence(self).compareAll()
    try throwViolation()
  }

  private func throwViolation() throws(Violation) { if let found = checkers.violation { throw found } }

  private func startClients() {
    guard producers.isEmpty else { return }
    for number in 0..<knobs.producerCount {
      let partition = TopicPartition(Self.topic, Int32(number) % knobs.partitionCount)
      let producer = Producer(self, party: makeParty(), partition: partition, name: number)
      producers.append(producer)
      producer.start()
    }
    for number in 0..<min(2, Int(knobs.partitionCount)) {
      let consumer = Consumer(self, party: makeParty(), partition: TopicPartition(Self.topic, Int32(number)))
      consumers.append(consumer)
      consumer.start()
    }
    startGroups()
    if isHealing { stopClients() }
  }

  private func startGroups() {
    for number in 0..<knobs.keeperCount {
      let keeper = OffsetKeeper(self, party: makeParty(), group: "keeper\(number)")
      keepers.append(keeper)
      keeper.start()
    }
    for number in 0..<knobs.memberCount {
      let member = GroupMember(self, party: makeParty(), group: "workers\(number % 2)")
      members.append(member)
      member.start()
    }
    if knobs.hasFleetingTopic {
      let topic = FleetingTopic(self, party: makeParty())
      fleeting = topic
      topic.start()
    }
  }

  private func stopClients() {
    for producer in producers { producer.isStopping = true }
    for keeper in keepers { keeper.stop() }
    for member in members { member.stop() }
    for consumer in consumers { consumer.stop() }
    fleeting?.stop()
  }

  /// L1: without faults all replicas come into sync, every producer gets its answers, every broker the metadata.
  private func converge() throws(Violation) {
    let end = now.advanced(byMilliseconds: 60_000)
    run(until: now.advanced(byMilliseconds: 1000))
    stopClients()
    while true {
      run(until: now.advanced(byMilliseconds: 200))
      try throwViolation()
      let missing = Convergence(self).missing()
      guard let missing else { return }
      guard now < end else { throw Violation(invariant: "L1", what: "a minute after all faults, \(missing)") }
      faults.helpAlong()
    }
  }
}
