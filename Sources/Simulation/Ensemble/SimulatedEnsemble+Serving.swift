internal import Coordination
internal import Primitives

/// A connection of a client with one server, as both ends see it.
final class SimulatedConnection {
  let client: SimulatedEnsembleClient
  let server: Int
  let session: Int64
  /// Nothing gets through any more, in neither direction; the client may not know yet.
  var isBroken = false
  /// Requests get through, answers do not.
  var losesAnswers = false
  /// Requests that arrived, the first one being served.
  var arrived: [(request: EnsembleRequest, token: RequestToken)] = []
  var isServing = false
  /// Whose the first one is.
  var caller: NodeTree.Caller?
  /// Of the first one, where it is a write.
  var outcome: Result<EnsembleAnswer, EnsembleError>?
  var watches: Set<TreeWatch> = []
  var lastArrival = Instant(nanoseconds: 0)
  var lastDelivery = Instant(nanoseconds: 0)

  init(client: SimulatedEnsembleClient, server: Int, session: Int64) {
    self.client = client
    self.server = server
    self.session = session
  }

  func deliver(_ event: EnsembleEvent, seen: Int64) {
    guard !isBroken, !losesAnswers else { return }
    client.receive(event, seen: seen, on: self)
  }

  func noticeBreak() { client.lose(self) }
}

extension EnsembleRequest {
  /// What the request changes; nil when it only reads.
  var writes: [EnsembleWrite]? {
    switch self {
    case .create(let creation): [.create(creation)]
    case .set(let path, let data, let version): [.set(path, data, version: version)]
    case .delete(let path, let version): [.delete(path, version: version)]
    case .multi(let writes): writes
    case .get, .exists, .children, .sync: nil
    }
  }
}

extension SimulatedEnsemble {
  func arrive(_ connection: SimulatedConnection, _ request: EnsembleRequest, _ token: RequestToken) {
    guard !connection.isBroken, hasQuorum, sessions[connection.session] != nil else { return }
    if let writes = request.writes, let fault = connection.client.answerFault {
      connection.client.answerFault = nil
      return spoil(connection, writes, fault)
    }
    connection.arrived.append((request, token))
    if !connection.isServing { serveFirst(connection) }
  }

  /// The answer of a write gets lost, with the connection and all that is behind it.
  private func spoil(_ connection: SimulatedConnection, _ writes: [EnsembleWrite], _ fault: LostAnswer) {
    let caller = NodeTree.Caller(session: connection.session, login: connection.client.login)
    switch fault {
    case .beforeApplying: break
    case .afterApplying: _ = commit(writes, caller)
    case .applyingLater(let ms): schedule(.late(writes, caller), inMs: ms)
    }
    breakByServer(connection)
  }

  /// Requests of a connection are served in their order; a read waits until the writes before it are applied here.
  private func serveFirst(_ connection: SimulatedConnection) {
    guard let (request, _) = connection.arrived.first else { return }
    connection.isServing = true
    let isStranger = connection.client.requestsAheadOfLogin > 0
    if isStranger { connection.client.requestsAheadOfLogin -= 1 }
    let caller = NodeTree.Caller(session: connection.session, login: isStranger ? nil : connection.client.login)
    connection.caller = caller
    if let writes = request.writes {
      connection.outcome = commit(writes, caller).map { .failure($0) } ?? .success(.done)
    }
    let needsAll = request.writes != nil || request.isSync
    let ready = needsAll ? servers[connection.server].lastDue : now
    schedule(.serve(connection), at: ready)
  }

  func serve(_ connection: SimulatedConnection) {
    guard !connection.isBroken, !connection.arrived.isEmpty else { return }
    applyDue(connection.server)
    let (request, token) = connection.arrived.removeFirst()
    let outcome = connection.outcome ?? read(request, connection)
    connection.outcome = nil
    connection.isServing = false
    send(.completed(token, outcome), on: connection)
    serveFirst(connection)
  }

  private func read(
    _ request: EnsembleRequest, _ connection: SimulatedConnection
  ) -> Result<EnsembleAnswer, EnsembleError> {
    let tree = servers[connection.server].tree
    let caller = connection.caller ?? NodeTree.Caller(session: connection.session, login: connection.client.login)
    do throws(EnsembleError) {
      switch request {
      case .get(let path, let isWatched):
        let node = try tree.node(path, caller)
        if isWatched { connection.watches.insert(.data(path)) }
        return .success(.node(node.data, node.status))
      case .exists(let path, let isWatched):
        if isWatched { connection.watches.insert(.data(path)) }
        guard let node = tree.nodes[path] else { throw EnsembleError(.noNode) }
        return .success(.status(node.status))
      case .children(let path, let isWatched):
        let node = try tree.node(path, caller)
        if isWatched { connection.watches.insert(.children(path)) }
        return .success(.children(node.children.sorted()))
      case .create, .set, .delete, .multi, .sync: return .success(.done)
      }
    } catch {
      return .failure(error)
    }
  }

  func send(_ event: EnsembleEvent, on connection: SimulatedConnection) {
    let time = max(connection.lastDelivery, now.advanced(byMilliseconds: Int64(latency())))
    connection.lastDelivery = time
    schedule(.deliver(connection, event, seen: Int64(servers[connection.server].appliedCount)), at: time)
  }

  // -- changes

  /// Brings a change into the order, if it can be made. Returns why not.
  func commit(_ writes: [EnsembleWrite], _ caller: NodeTree.Caller) -> EnsembleError? {
    guard caller.session == 0 || sessions[caller.session] != nil else { return EnsembleError(.sessionLost) }
    let number = Int64(changes.count + 1)
    do throws(EnsembleError) {
      _ = try tree.apply(writes, number: number, caller)
    } catch {
      return error
    }
    record(Change(number: number, writes: writes, caller: caller))
    return nil
  }

  func record(_ change: Change) {
    changes.append(change)
    if let writes = change.writes { onChange?(writes, change.caller.session) }
    for server in servers.indices {
      let delay = latency() + servers[server].lagMs
      let due = max(servers[server].lastDue, now.advanced(byMilliseconds: Int64(delay)))
      servers[server].lastDue = due
      servers[server].dues.append(due)
      schedule(.apply(server: server), at: due)
    }
  }

  /// The server takes in the changes whose time has come, and tells who watched for them.
  func applyDue(_ server: Int) {
    while servers[server].appliedCount < changes.count,
      servers[server].dues[servers[server].appliedCount] <= now
    {
      let change = changes[servers[server].appliedCount]
      servers[server].appliedCount += 1
      for effect in servers[server].tree.replay(change) { fire(effect, on: server) }
    }
  }

  private func fire(_ effect: TreeEffect, on server: Int) {
    for connection in servers[server].connections where !connection.isBroken {
      let fired = connection.watches.filter { effect.fires($0) }.sorted { $0.path < $1.path }
      for watch in fired {
        connection.watches.remove(watch)
        send(.changed(watch.path), on: connection)
      }
    }
  }
}

extension NodeTree {
  /// Takes in a change that was made already elsewhere.
  mutating func replay(_ change: SimulatedEnsemble.Change) -> [TreeEffect] {
    guard let writes = change.writes else { return end(change.caller.session, number: change.number) }
    do throws(EnsembleError) {
      return try apply(writes, number: change.number, change.caller)
    } catch {
      preconditionFailure("change \(change.number) went well elsewhere, and failed here: \(error)")
    }
  }
}

extension EnsembleRequest {
  fileprivate var isSync: Bool { if case .sync = self { true } else { false } }
}
