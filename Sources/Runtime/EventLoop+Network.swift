internal import Broker
internal import CLinux

/// Connections that are cut on purpose, and those that end with their process.
extension EventLoop {
  /// Whether a connection may lead to `port`.
  func mayConnect(to port: UInt16) -> Bool { network?.lets(to: port) ?? true }

  /// Ends the connections that the switch cuts.
  func applyNetwork(_ shard: Shard) {
    guard let network else { return }
    for slot in sockets.indices {
      let socket = sockets[slot]
      let isCut: Bool
      switch socket.stage {
      case .free: continue
      case .resolving(let port): isCut = !network.lets(to: port)
      case .connecting(let port, _): isCut = !network.lets(to: port)
      case .open: isCut = socket.dialledPort.map { !network.lets(to: $0) } ?? !network.takesConnections
      }
      guard isCut else { continue }
      let id = ConnectionID(slot: slot, generation: socket.generation)
      shard.closed(id)
      close(id)
    }
  }

  /// Closes what the kernel would close for a process that dies: nobody is told, nothing is sent.
  func abandonSockets() {
    for slot in sockets.indices where sockets[slot].descriptor >= 0 {
      _ = ottla_close(sockets[slot].descriptor)
      sockets[slot] = LoopSocket(generation: sockets[slot].generation &+ 1)
    }
  }
}
