internal import Primitives

extension EnsembleCoordination {
  /// The most parts of one change that takes nodes away.
  static var deletionsMax: Int { 100 }

  /// What a controller does.
  func lead() {
    switch election.role {
    case .none, .standing: break
    case .won(let reign): if reader.isCaughtUp { cleanUp(reign) }
    case .leading(let reign):
      lookWhoIsPresent()
      continueChange(reign)
      keepSnapshots(reign)
    }
  }

  /// Takes away the log nodes beyond the head: parts of a predecessor's change that never became one. Then we lead.
  private func cleanUp(_ reign: Reign) {
    guard !election.isCleaning, let head = reader.head else { return }
    election.isCleaning = true
    send(.children(paths.log, watch: false)) { [unowned self] result in
      guard election.role == .won(reign) else { return }
      guard case .success(.children(let names)) = result else {
        election.isCleaning = false
        return
      }
      let litter = names.compactMap { Int64($0) }.filter { $0 >= head.nextNode }.sorted()
      delete(litter.map { paths.logNode($0) }, reign) { [unowned self] isDone in
        guard election.role == .won(reign) else { return }
        if isDone { begin(reign) } else { election.isCleaning = false }
      }
    }
  }

  private func begin(_ reign: Reign) {
    election.role = .leading(reign)
    events.append(.elected(controllerEpoch: reign.epoch))
    tellController(settings.brokerID, epoch: reign.epoch)
    presence.isStale = true
  }

  /// A write of this term: it fails once another controller was elected.
  func fencedWrites(_ writes: [EnsembleWrite], _ reign: Reign) -> EnsembleRequest {
    #if DEBUG
      if settings.mutation == .appendWithoutEpochCheck { return .multi(writes) }
    #endif
    return .multi([.check(paths.controllerEpoch, version: reign.epochVersion)] + writes)
  }

  /// Takes nodes away, one run after the other. Says whether all went; where an answer was lost, what was there is to be
  /// looked at again.
  func delete(_ nodes: [String], _ reign: Reign, _ finish: @escaping (Bool) -> Void) {
    guard !nodes.isEmpty else { return finish(true) }
    let run = nodes.prefix(Self.deletionsMax)
    send(fencedWrites(run.map { .deleteAny($0) }, reign)) { [unowned self] result in
      switch result {
      case .success: delete(Array(nodes.dropFirst(run.count)), reign, finish)
      case .failure(let error):
        if error.isFenced, election.role.reign == reign { fenced() }
        finish(false)
      }
    }
  }
}
