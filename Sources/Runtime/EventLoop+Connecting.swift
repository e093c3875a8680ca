internal import Broker
internal import CLinux

/// Connections of ours to other machines. Nothing waits: an address is dialled at once, a name goes to the resolver first.
///
/// A name may lead to several addresses, and the broker may listen at one of them only (localhost is ::1 and 127.0.0.1):
/// they are tried one after the other, within the time that the shard has for all of it.
extension EventLoop {
  func connect(to host: String, port: Int32) -> ConnectionID {
    let id = takeSlot()
    // Taken, whatever comes of it: the shard learns of failures with the next turn, and closes.
    sockets[id.slot].stage = .connecting(port: 0, others: [])
    guard let port = UInt16(exactly: port), port > 0, !host.isEmpty, mayConnect(to: port) else {
      failedConnects.append(id)
      return id
    }
    switch dial(id, host, port, others: []) {
    case .begun: break
    case .failed: failedConnects.append(id)
    case .notAnAddress:
      sockets[id.slot].stage = .resolving(port: port)
      if !resolver.resolve(host, for: id, loop: index) { failedConnects.append(id) }
    }
    return id
  }

  private enum Dialled {
    case begun
    case notAnAddress
    case failed
  }

  private func dial(_ id: ConnectionID, _ address: String, _ port: UInt16, others: ArraySlice<String>) -> Dialled {
    let descriptor = ottla_start_connect(address, port)
    guard descriptor >= 0 else { return descriptor == Resolver.notAnAddress ? .notAnAddress : .failed }
    guard watch(descriptor, id) else {
      _ = ottla_close(descriptor)
      return .failed
    }
    sockets[id.slot].descriptor = descriptor
    sockets[id.slot].dialledPort = port
    sockets[id.slot].stage = .connecting(port: port, others: others)
    return .begun
  }

  /// The resolver has found where a name leads.
  func resolved(_ id: ConnectionID, _ addresses: [String], _ shard: Shard) {
    guard isTaken(id), case .resolving(let port) = sockets[id.slot].stage else { return }
    dialNext(id, port, addresses[...], shard)
  }

  private func dialNext(_ id: ConnectionID, _ port: UInt16, _ addresses: ArraySlice<String>, _ shard: Shard) {
    var rest = addresses
    while let address = rest.popFirst() {
      if case .begun = dial(id, address, port, others: rest) { return }
    }
    fail(id, shard)
  }

  /// The kernel has something to say of a connection that is on its way.
  func finishConnect(_ id: ConnectionID, _ shard: Shard) {
    guard case .connecting(let port, let others) = sockets[id.slot].stage, sockets[id.slot].descriptor >= 0
    else { return }
    if ottla_connect_outcome(sockets[id.slot].descriptor) == 0 {
      sockets[id.slot].stage = .open
      return shard.connected(id)
    }
    _ = ottla_close(sockets[id.slot].descriptor)
    sockets[id.slot].descriptor = -1
    dialNext(id, port, others, shard)
  }

  func tellFailedConnects(_ shard: Shard) {
    let failed = failedConnects
    failedConnects.removeAll()
    for id in failed where isTaken(id) { fail(id, shard) }
  }

  private func fail(_ id: ConnectionID, _ shard: Shard) {
    shard.closed(id)
    close(id)
  }
}
