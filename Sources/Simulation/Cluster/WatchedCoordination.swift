internal import Cluster
internal import Coordination
internal import Primitives

/// A broker's coordination service, with checkers that hear what it tells.
final class WatchedCoordination: CoordinationService {
  private let service: EnsembleCoordination
  private unowned let node: Machine
  /// What the append under way is to bring into the log.
  private var appending: (token: RequestToken, records: [MetadataRecord])?

  init(_ service: EnsembleCoordination, _ node: Machine) {
    self.service = service
    self.node = node
  }

  var clusterID: String? { service.clusterID }

  func append(_ records: [MetadataRecord], token: RequestToken) {
    appending = (token, records)
    service.append(records, token: token)
  }

  func register(_ presence: BrokerPresence) { service.register(presence) }
  func close() { service.close() }
  func tick(_ now: Instant) -> Instant? { service.tick(now) }

  func poll() -> [CoordinationEvent] {
    let events = service.poll()
    for event in events {
      say(event)
      take(event)
    }
    return events
  }

  private func say(_ event: CoordinationEvent) {
    if case .committed(let committed) = event {
      let last = committed.firstOffset.value + Int64(committed.records.count) - 1
      return node.simulator.trace.say(
        "[\(node.id.value)] hears of \(committed.firstOffset.value)...\(last)\(committed.isSnapshot ? ", a snapshot" : "")")
    }
    if case .brokersPresent(let brokers) = event {
      return node.simulator.trace.say(
        "[\(node.id.value)] present are \(brokers.map { "\($0.presence.id.value) in epoch \($0.epoch)" })")
    }
    node.simulator.trace.say("[\(node.id.value)] hears: \(event)")
  }

  private func take(_ event: CoordinationEvent) {
    let metadata = node.simulator.checkers.metadata
    switch event {
    case .committed(let committed): metadata.committed(committed, to: node)
    case .appended(let token, let last):
      guard let appending, appending.token == token else { return }
      self.appending = nil
      metadata.appended(appending.records, lastOffset: last, by: node)
    case .appendFailed(let token, _):
      guard appending?.token == token else { return }
      appending = nil
      node.simulator.reached(.appendFailed)
    case .elected(let epoch): metadata.elected(node, epoch)
    default: break
    }
  }
}
