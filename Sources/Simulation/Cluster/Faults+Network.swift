internal import Primitives

/// Faults of the network, and of the ensemble.
extension Faults {
  func disturbNetwork(_ kind: Kind, _ node: Machine) {
    let network = simulator.network!
    let id = node.id.value
    let others = simulator.nodes.map(\.id.value).filter { $0 != id }
    switch kind {
    case .isolate:
      for other in others {
        network.cut(from: id, to: other)
        network.cut(from: other, to: id)
      }
      if random.chance(percent: 50) { cutFromEnsemble(node) }
    case .oneWay:
      let isDeaf = random.chance(percent: 50)
      for other in others { isDeaf ? network.cut(from: other, to: id) : network.cut(from: id, to: other) }
    case .pair:
      let other = random.pick(others)
      network.cut(from: id, to: other)
      network.cut(from: other, to: id)
    case .clientCut:
      guard !simulator.clientParties.isEmpty else { return }
      let client = random.pick(simulator.clientParties)
      if random.chance(percent: 50) { network.cut(from: client, to: id) }
      network.cut(from: id, to: client)
    default:
      for other in others { network.slowDown(from: id, to: other, ms: random.pick([20, 200])) }
    }
    say("the network of broker \(id): \(kind)")
    later(someMs()) { [unowned self] in
      say("the network is whole")
      network.healAll()
    }
  }

  // MARK: the ensemble

  private func cutFromEnsemble(_ node: Machine) {
    node.client?.cut(answersOnly: random.chance(percent: 30))
    later(someMs()) { node.client?.heal() }
  }

  func disturbEnsemble(_ kind: Kind, _ node: Machine) {
    let ensemble = simulator.ensemble
    say("the ensemble: \(kind), broker \(node.id.value)")
    switch kind {
    case .ensembleCut: cutFromEnsemble(node)
    case .sessionEnd:
      if let client = node.client { ensemble.expire(client) }
      simulator.reached(.sessionLost)
    case .quorumLoss:
      guard ensemble.hasQuorum else { return }
      ensemble.loseQuorum()
      simulator.reached(.quorumLost)
      later(someMs()) { ensemble.regainQuorum() }
    case .staleServer:
      let server = random.below(3)
      ensemble.lag(server: server, ms: random.pick([50, 500, 2000]))
      later(someMs()) { ensemble.lag(server: server, ms: 0) }
    default:
      node.client?.loseNextAnswer(
        random.pick([.beforeApplying, .afterApplying, .applyingLater(ms: random.below(800))]))
      simulator.reached(.ambiguousAppend)
    }
  }
}
