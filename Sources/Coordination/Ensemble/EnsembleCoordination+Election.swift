internal import Effects
internal import Primitives

/// A controller's term: what its writes check.
struct Reign: Equatable {
  let epoch: Int32
  /// The version that the election gave `/controller_epoch`.
  let epochVersion: Int32
}

/// Who is the controller, and whether we are.
struct Election {
  /// Can become: none -> standing -> won -> leading -> none; each -> none.
  enum Role: Equatable {
    case none
    /// The election is under way.
    case standing
    /// Elected; what the predecessors left is being read and cleaned up.
    case won(Reign)
    /// Elected, and told so.
    case leading(Reign)

    var reign: Reign? {
      switch self {
      case .none, .standing: nil
      case .won(let reign), .leading(let reign): reign
      }
    }
  }

  var role = Role.none
  /// The last election that we stood in. Its answer may have been lost.
  var attempt: Reign?
  /// `/controller` is to be looked at.
  var isStale = true
  var isLooking = false
  var isCleaning = false
  /// The highest that was seen.
  var epoch: Int32 = 0
  var told: (id: BrokerID, epoch: Int32)?

  /// The session is over.
  mutating func abandon() {
    role = .none
    attempt = nil
    isStale = true
    isLooking = false
    isCleaning = false
  }
}

extension EnsembleCoordination {
  /// Looks who is the controller; stands where there is none.
  func lookAtController() {
    guard election.isStale, !election.isLooking, election.role != .standing else { return }
    election.isStale = false
    election.isLooking = true
    send(.exists(paths.controller, watch: true)) { [unowned self] result in
      switch result {
      case .success:
        send(.get(paths.controller, watch: false)) { [unowned self] result in
          election.isLooking = false
          guard case .success(.node(let bytes, let status)) = result else {
            election.isStale = true
            return
          }
          see(bytes, status)
        }
      case .failure(let error) where error.reason == .noNode:
        election.isLooking = false
        seeNone()
      case .failure:
        election.isLooking = false
        election.isStale = true
      }
    }
  }

  private func see(_ bytes: [UInt8], _ status: NodeStatus) {
    let node = ControllerNode(bytes)
    if status.owner == link.session?.id {
      if let reign = election.role.reign, reign.epoch == node?.controllerEpoch { return }
      if let attempt = election.attempt, attempt.epoch == node?.controllerEpoch { return win(attempt) }
      // Of a term that we gave up.
      return remove(status)
    }
    resign(Self.replaced)
    let isOfOurProcess = node?.incarnation == incarnation
    let isOfDeadProcess = node?.brokerID == settings.brokerID && registration.epoch != nil
    if isOfOurProcess || isOfDeadProcess {
      // Its session is over, or belongs to a process that is dead, else we were not registered: its time need not be waited
      // for.
      return remove(status)
    }
    election.epoch = max(election.epoch, node?.controllerEpoch ?? 0)
    tellController(node?.brokerID ?? .none, epoch: election.epoch)
  }

  private static let replaced = KafkaError(.notController, "Another broker was elected as the controller.")

  private func remove(_ status: NodeStatus) {
    resign(Self.replaced)
    send(.delete(paths.controller, version: status.version)) { [unowned self] _ in election.isStale = true }
  }

  private func seeNone() {
    resign(Self.replaced)
    tellController(.none, epoch: election.epoch)
    guard registration.epoch != nil else { return }
    election.role = .standing
    send(.get(paths.controllerEpoch, watch: false)) { [unowned self] result in
      switch result {
      case .success(.node(let bytes, let status)): stand(bytes, status)
      case .failure(let error) where error.reason == .noNode: doubtDamage(paths.controllerEpoch, "is missing")
      case .success, .failure: lookAgain()
      }
    }
  }

  private func lookAgain() {
    election.role = .none
    election.isStale = true
  }

  /// One step makes us the controller and every older one powerless: the epoch has another version now.
  private func stand(_ bytes: [UInt8], _ status: NodeStatus) {
    guard let last = ControllerEpochNode.epoch(of: bytes), last < .max else {
      return doubtDamage(paths.controllerEpoch)
    }
    let attempt = Reign(epoch: last + 1, epochVersion: status.version &+ 1)
    election.attempt = attempt
    let node = ControllerNode(
      brokerID: settings.brokerID, controllerEpoch: attempt.epoch, incarnation: incarnation
    ).bytes(at: time.wallClock())
    let writes: [EnsembleWrite] = [
      .set(paths.controllerEpoch, ControllerEpochNode.bytes(attempt.epoch), version: status.version),
      .create(NodeCreation(paths.controller, node, isEphemeral: true)),
    ]
    send(.multi(writes)) { [unowned self] result in
      lookAgain()
      if case .success = result { win(attempt) }
      // Lost, or nobody knows: the next look tells. Our node with this epoch in it means that we won.
    }
  }

  private func win(_ reign: Reign) {
    election.role = .won(reign)
    election.epoch = max(election.epoch, reign.epoch)
    election.isCleaning = false
    // What the predecessors committed, they committed before this.
    reader.isHeadStale = true
  }

  func tellController(_ id: BrokerID, epoch: Int32) {
    if let told = election.told, told == (id, epoch) { return }
    election.told = (id, epoch)
    events.append(.controllerChanged(id, controllerEpoch: epoch))
  }

  /// This broker is not the controller any more, if it was. An append that is under way fails with `error`, if it is known that
  /// it was not made: whoever hears that may ask again.
  func resign(_ error: KafkaError) {
    let wasTold: Bool
    if case .leading = election.role { wasTold = true } else { wasTold = false }
    if election.role.reign != nil {
      election.role = .none
      // The same term is not taken up again: what it sent may still be on its way.
      election.attempt = nil
    }
    if let change {
      self.change = nil
      events.append(.appendFailed(change.token, change.mayBeMade ? Self.doubt(error) : error))
    }
    presence.told = nil
    snapshots.isUnderWay = false
    if wasTold { events.append(.resigned) }
  }

  private static func doubt(_ error: KafkaError) -> KafkaError {
    guard error.code != .requestTimedOut else { return error }
    return KafkaError(.requestTimedOut, "\(error.message ?? "") Nobody knows whether the change was made.")
  }

  /// One of our writes found another epoch: somebody else was elected since.
  func fenced() {
    resign(Self.replaced)
    election.isStale = true
  }
}

extension EnsembleError {
  /// Whether the first part of a controller's write failed: the check of its epoch.
  var isFenced: Bool { part == 0 && (reason == .badVersion || reason == .noNode) }
}
