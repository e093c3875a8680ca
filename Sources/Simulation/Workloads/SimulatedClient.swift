internal import Broker
internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// What all clients of a simulation have: a number, connections, and an idea of who leads.
class SimulatedClient {
  unowned let simulator: ClusterSimulator
  /// Below zero: its place in the network.
  let party: Int32
  let random: SimulationRandom
  private var connections: [BrokerID: ClientConnection] = [:]
  /// The newest term that it knows of each partition, and who leads in it: older news are none (KIP-320).
  private var leaders: [TopicPartition: (term: Int32, broker: BrokerID)] = [:]

  init(_ simulator: ClusterSimulator, party: Int32) {
    self.simulator = simulator
    self.party = party
    random = simulator.random.split()
  }

  /// Whether it has nothing left to do that it wants to see done.
  var isDone: Bool { true }

  func connection(to broker: BrokerID) -> ClientConnection? {
    if let open = connections[broker], open.isOpen { return open }
    guard let node = simulator.node(broker) else { return nil }
    let connection = ClientConnection(simulator, party: party, to: node)
    connections[broker] = connection
    return connection
  }

  func anyConnection() -> ClientConnection? { connection(to: random.pick(simulator.nodes).id) }

  /// Who leads the partition, and since which term, as some broker knows it, or as was known before; Metadata would say so.
  func leader(of partition: TopicPartition) -> (term: Int32, broker: BrokerID)? {
    let image = someImage()
    if let found = image?.topic(named: partition.topic)?.partition(partition.partition) {
      noteLeader(found.leader.value, found.leaderEpoch.value, of: partition)
    }
    guard let known = leaders[partition], known.broker != .none else { return nil }
    return known
  }

  func someImage() -> ClusterImage? {
    let running = simulator.nodes.filter { $0.isListening && !$0.isPaused }
    guard !running.isEmpty else { return nil }
    return random.pick(running).shards[0].clusterImage
  }

  func noteLeader(_ broker: Int32, _ term: Int32, of partition: TopicPartition) {
    guard term >= leaders[partition]?.term ?? -1, term >= 0 else { return }
    leaders[partition] = (term, BrokerID(broker))
  }

  /// The topic may be another one of the same name.
  func forgetLeader(of partition: TopicPartition) { leaders[partition] = nil }

  func call(inMs ms: Int, _ body: @escaping () -> Void) { simulator.call("client", inMs: Int64(ms), body) }
}
