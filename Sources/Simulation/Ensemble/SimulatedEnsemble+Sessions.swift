internal import Primitives

extension SimulatedEnsemble {
  /// A server that a client may use: any, but none that lags behind what the client saw. nil for none.
  func server(for client: SimulatedEnsembleClient) -> Int? {
    guard hasQuorum, !client.isCut else { return nil }
    let server = random.below(servers.count)
    applyDue(server)
    return Int64(servers[server].appliedCount) >= client.seen ? server : nil
  }

  func beginSession(timeoutMs: Int64) -> Int64 {
    lastSession += 1
    sessions[lastSession] = Session(timeoutMs: timeoutMs, heardAt: now)
    return lastSession
  }

  func open(_ connection: SimulatedConnection) {
    sessions[connection.session]?.heardAt = now
    servers[connection.server].connections.append(connection)
  }

  /// Ends a session with its nodes.
  func end(_ session: Int64) {
    guard sessions.removeValue(forKey: session) != nil else { return }
    let number = Int64(changes.count + 1)
    _ = tree.end(session, number: number)
    record(Change(number: number, writes: nil, caller: NodeTree.Caller(session: session, login: nil)))
    for client in clients {
      if let connection = client.connection, connection.session == session { breakByServer(connection) }
    }
  }

  /// A server hangs up; the client notices soon, unless nothing gets through to it.
  func breakByServer(_ connection: SimulatedConnection) {
    guard !connection.isBroken else { return }
    connection.isBroken = true
    forget(connection)
    if !connection.client.isCut { schedule(.close(connection), inMs: latency()) }
  }

  func forget(_ connection: SimulatedConnection) {
    servers[connection.server].connections.removeAll { $0 === connection }
  }

  /// Every connected client says that it lives; sessions of those that do not for too long end.
  func beat() {
    schedule(.beat, inMs: Self.beatMs)
    for client in clients { client.beat() }
    guard hasQuorum else { return }
    for id in sessions.keys.sorted() {
      guard let session = sessions[id], now.milliseconds(since: session.heardAt) > session.timeoutMs else { continue }
      end(id)
    }
  }
}
