internal import Cluster
internal import Effects
internal import Primitives

/// This broker's node among `/brokers/ids`.
struct Registration {
  /// What it is to say; nil while nobody asked for it.
  private(set) var presence: BrokerPresence?
  /// The epoch that was told; nil while we are not registered, as far as we know.
  var epoch: Int64?
  /// Whose node was taken away for ours to take its place.
  var removing: UUID?
  /// How often that led to ours, by the process that had made it.
  private(set) var removals: [UUID: Int] = [:]
  /// The node is to be looked at.
  var isStale = true
  var isUnderWay = false
  /// The node says what is no longer so: another one takes its place.
  var isOutdated = false
  /// Until when somebody else's node may stand in our way.
  var foreignUntil: Instant?

  mutating func want(_ presence: BrokerPresence) {
    isOutdated = epoch != nil || isUnderWay
    self.presence = presence
    isStale = true
  }

  /// Our node is there.
  mutating func countRemoval() {
    guard let removed = removing else { return }
    removals[removed, default: 0] += 1
    removing = nil
  }

  /// The session is over. Returns whether that is to be told.
  mutating func abandon() -> Bool {
    let wasKnown = epoch != nil
    epoch = nil
    isUnderWay = false
    isStale = true
    isOutdated = false
    foreignUntil = nil
    return wasKnown
  }
}

extension EnsembleCoordination {
  private var ownPath: String { paths.broker(settings.brokerID) }

  /// Keeps this broker registered: looks, and makes the node that is missing.
  func lookAtOwnNode() {
    guard let wanted = registration.presence, registration.isStale, !registration.isUnderWay else { return }
    registration.isStale = false
    registration.isUnderWay = true
    send(.exists(ownPath, watch: true)) { [unowned self] result in
      switch result {
      case .success(.status(let status)) where status.owner == link.session?.id && !registration.isOutdated:
        registered(status.creation)
      case .success: lookWhoseNode(wanted)
      case .failure(let error) where error.reason == .noNode:
        unregistered()
        create()
      case .failure: lookAgain()
      }
    }
  }

  private func lookAgain() {
    registration.isUnderWay = false
    registration.isStale = true
  }

  private func registered(_ epoch: Int64) {
    registration.isUnderWay = false
    registration.foreignUntil = nil
    registration.countRemoval()
    guard registration.epoch != epoch else { return }
    registration.epoch = epoch
    events.append(.registered(epoch: epoch))
    // Only who is registered stands for election.
    election.isStale = true
  }

  private func unregistered() {
    guard registration.epoch != nil else { return }
    registration.epoch = nil
    events.append(.unregistered)
  }

  private func create() {
    guard let presence = registration.presence else { return lookAgain() }
    registration.isOutdated = false
    let bytes = BrokerNode.bytes(presence, at: time.wallClock())
    send(.create(NodeCreation(ownPath, bytes, isEphemeral: true))) { [unowned self] result in
      // Where somebody has removed the folder it does not come back by itself.
      if case .failure(let error) = result, error.reason == .noNode { pause() }
      // Made, or in the way, or nobody knows: the next look tells, and says the node's epoch.
      lookAgain()
    }
  }

  private func lookWhoseNode(_ wanted: BrokerPresence) {
    send(.get(ownPath, watch: false)) { [unowned self] result in
      guard case .success(.node(let bytes, let status)) = result else { return lookAgain() }
      if status.owner == link.session?.id { return replace(status) }
      let found = BrokerNode.presence(of: bytes, id: settings.brokerID)
      guard let found, found.dataID == wanted.dataID else { return waitForForeign(bytes) }
      if found.incarnation != wanted.incarnation {
        // A process that is dead left it, for we hold the folders' lock. What it had sent may make one more. But it is not
        // dead when it comes again and again: then there are two of the folder.
        if registration.removals[found.incarnation, default: 0] >= Self.removalsMax { return refuseCopy(bytes) }
        registration.removing = found.incarnation
      }
      // Also of a session of ours that is over: its time need not be waited for.
      replace(status)
    }
  }

  private static let removalsMax = 2

  private func refuseCopy(_ bytes: [UInt8]) {
    let address = BrokerNode.address(of: bytes) ?? "an unknown address"
    refuse(
      "Another process runs as node.id \(settings.brokerID.value) at \(address), with a copy of this broker's data folders. "
        + "Only one of them may run.")
  }

  private func replace(_ status: NodeStatus) {
    unregistered()
    send(.delete(ownPath, version: status.version)) { [unowned self] _ in lookAgain() }
  }

  /// Somebody else has our number. A broker that died may have left it: then it goes within a session's time.
  private func waitForForeign(_ bytes: [UInt8]) {
    unregistered()
    registration.isUnderWay = false
    let now = time.now()
    // Servers see to sessions in steps, so a session may live longer than its time.
    let until = registration.foreignUntil ?? now.advanced(byMilliseconds: link.timeoutMs / 2 * 3)
    registration.foreignUntil = until
    guard now >= until else { return }
    let address = BrokerNode.address(of: bytes) ?? "an unknown address"
    refuse(
      "node.id \(settings.brokerID.value) is in use by the broker at \(address). Give each broker its own node.id.")
  }

  func checkForeignNode(_ now: Instant) {
    guard let until = registration.foreignUntil, now >= until, !registration.isUnderWay else { return }
    registration.isStale = true
  }
}
