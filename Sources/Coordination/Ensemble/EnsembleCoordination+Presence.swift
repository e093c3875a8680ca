internal import Cluster
internal import Primitives

/// Who is alive, as the controller is told.
struct PresenceWatch {
  /// `/brokers/ids` is to be looked at.
  var isStale = true
  var isUnderWay = false
  /// What was told in this term.
  var told: [PresentBroker]?
  /// Answers that are missing of this look, and those that came.
  var missingCount = 0
  var found: [PresentBroker] = []
  var wasCut = false
}

extension EnsembleCoordination {
  func lookWhoIsPresent() {
    guard presence.isStale, !presence.isUnderWay else { return }
    presence.isStale = false
    presence.isUnderWay = true
    send(.children(paths.brokers, watch: true)) { [unowned self] result in
      guard case .success(.children(let names)) = result else {
        presence.isUnderWay = false
        presence.isStale = true
        // Where somebody has removed the very folder, the next look finds no more than this one.
        return pause()
      }
      look(at: names.compactMap { Int32($0) }.filter { $0 >= 0 }.sorted().map { BrokerID($0) })
    }
  }

  private func look(at ids: [BrokerID]) {
    presence.found = []
    presence.wasCut = false
    presence.missingCount = ids.count
    if ids.isEmpty { return finishLook() }
    for id in ids {
      send(.get(paths.broker(id), watch: false)) { [unowned self] result in
        switch result {
        case .success(.node(let bytes, let status)):
          // A node that says nothing is no broker that anybody could talk to.
          if let found = BrokerNode.presence(of: bytes, id: id) {
            presence.found.append(PresentBroker(presence: found, epoch: status.creation))
          }
        case .failure(let error) where error.reason == .noNode: break
        case .success, .failure: presence.wasCut = true
        }
        presence.missingCount -= 1
        if presence.missingCount == 0 { finishLook() }
      }
    }
  }

  private func finishLook() {
    presence.isUnderWay = false
    if presence.wasCut {
      presence.isStale = true
      return
    }
    let found = presence.found.sorted { $0.presence.id < $1.presence.id }
    presence.found = []
    guard case .leading = election.role, found != presence.told else { return }
    presence.told = found
    events.append(.brokersPresent(found))
  }
}
