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
  /// Whom it was told to ask, by the last answer.
  private var hints: [TopicPartition: BrokerID] = [:]

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

  /// Who leads the partition, as some broker knows it; its answer to Metadata would say the same.
  func leader(of partition: TopicPartition) -> BrokerID? {
    if let hint = hints.removeValue(forKey: partition) { return hint }
    guard let image = someImage(), let found = image.topic(named: partition.topic)?.partition(partition.partition),
      found.leader != .none
    else { return nil }
    return found.leader
  }

  func someImage() -> ClusterImage? {
    let running = simulator.nodes.filter { $0.isListening && !$0.isPaused }
    guard !running.isEmpty else { return nil }
    return random.pick(running).shards[0].clusterImage
  }

  func noteLeader(_ broker: Int32, of partition: TopicPartition) {
    if broker >= 0 { hints[partition] = BrokerID(broker) }
  }

  func call(inMs ms: Int, _ body: @escaping () -> Void) { simulator.call("client", inMs: Int64(ms), body) }
}
