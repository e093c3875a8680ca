internal import Cluster
internal import Groups
internal import KafkaProtocol
internal import Primitives

/// A client of one group: finds the coordinator, and asks it.
class GroupClient: SimulatedClient {
  let group: String
  private var coordinator: BrokerID?
  /// The term in which the coordinator gave the last answer lies between these two; see `TermedBound`.
  private(set) var answerTerms: ClosedRange<Int32> = 0...0

  init(_ simulator: ClusterSimulator, party: Int32, group: String) {
    self.group = group
    super.init(simulator, party: party)
  }

  /// Asks the coordinator; nil where there was none, or no answer.
  func ask(_ request: Request, version: Int16, _ handler: @escaping (Response?) -> Void) {
    guard let coordinator else { return find(request, version: version, handler) }
    guard let connection = connection(to: coordinator) else { return handler(nil) }
    let replicas = simulator.checkers.replicas
    let asked = replicas.ownTerm(log, of: coordinator)
    connection.send(request, version: version, timeoutMs: 2000) { [weak self] answer in
      guard let self else { return }
      if answer == nil { self.coordinator = nil }
      // Who led when it was asked answers in that term or a later one; who did not, in the next one that it led.
      let first = asked.isLeader ? asked.term : replicas.firstTerm(of: log, ledBy: coordinator, after: asked.term)
      answerTerms = first...max(first, replicas.ownTerm(log, of: coordinator).term)
      handler(answer?.response)
    }
  }

  /// The coordinator has moved.
  func forgetCoordinator() {
    simulator.reached(.groupMoved)
    coordinator = nil
  }

  private func find(_ request: Request, version: Int16, _ handler: @escaping (Response?) -> Void) {
    guard let connection = anyConnection() else { return handler(nil) }
    let question = FindCoordinatorRequest(coordinatorKeys: [group])
    connection.send(.findCoordinator(question), version: 4, timeoutMs: 1000) { [weak self] answer in
      guard let self, case .findCoordinator(let body)? = answer?.response, let found = body.coordinators.first,
        found.errorCode == .none, simulator.node(BrokerID(found.nodeId)) != nil
      else { return handler(nil) }
      coordinator = BrokerID(found.nodeId)
      ask(request, version: version, handler)
    }
  }

  /// The log that keeps the group.
  var log: TopicPartition {
    TopicPartition("__consumer_offsets", GroupCoordinator.partition(for: group, partitionCount: 2))
  }
}
