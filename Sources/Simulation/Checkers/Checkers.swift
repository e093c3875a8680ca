internal import Primitives

/// All checkers of one simulation, and the first thing that they found.
final class Checkers {
  private(set) var violation: Violation?
  let metadata: MetadataChecker
  let replicas: ReplicaChecker
  let clients: ClientChecker
  let groups: GroupChecker
  private unowned let simulator: ClusterSimulator

  init(_ simulator: ClusterSimulator) {
    self.simulator = simulator
    metadata = MetadataChecker(simulator)
    replicas = ReplicaChecker(simulator)
    clients = ClientChecker(simulator)
    groups = GroupChecker(simulator)
  }

  func violate(_ invariant: String, _ what: String) { violate(Violation(invariant: invariant, what: what)) }

  func violate(_ found: Violation) {
    guard violation == nil else { return }
    simulator.trace.say("VIOLATION of \(found)")
    violation = found
  }

  func afterTurn(_ node: Machine, _ shard: Int) { replicas.look(node, shard) }
  func died(_ node: Machine) { replicas.died(node) }
}
