package import Effects
internal import Primitives

/// A connection of one shard: the event loop's slot in the low half, the slot's generation in the high half, so that an
/// answer for a connection that is gone never reaches the one that took its slot.
package struct ConnectionID: Hashable, Sendable {
  package let value: UInt64
  @inlinable package init(slot: Int, generation: UInt32) {
    value = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: slot))
  }
  @inlinable package var slot: Int { Int(value & 0xffff_ffff) }
  @inlinable package var generation: UInt32 { UInt32(value >> 32) }
}

/// Where a connection comes from, and the address of ours that its client dialled.
package struct PeerAddress: Sendable {
  package let host: String
  package let port: UInt16
  package let localHost: String
  package let localPort: UInt16
  /// Which of the configured listeners took it.
  package let listener: Int
  package init(host: String, port: UInt16, localHost: String, localPort: UInt16, listener: Int) {
    self.host = host
    self.port = port
    self.localHost = localHost
    self.localPort = localPort
    self.listener = listener
  }
}

/// How many bytes the network took just now.
package enum WriteOutcome: Sendable {
  /// So many; fewer than offered means: no more until `Shard.writable`.
  case accepted(Int)
  /// The connection is broken.
  case failed
}

/// The network as a shard sees it: never waits. The event loop's sockets, or the simulator's.
package protocol Transport: AnyObject {
  /// Begins a connection to another machine: `host` is an address or a name. Never waits and never calls back from within:
  /// `Shard.connected` comes later, or `Shard.closed` where there is no way there.
  func connect(to host: String, port: Int32) -> ConnectionID
  /// Offers bytes. `moreFollows` says that a file range comes right behind them.
  func write(_ bytes: UnsafeRawBufferPointer, to connection: ConnectionID, moreFollows: Bool) -> WriteOutcome
  /// Offers `byteCount` bytes of `file` from `position`.
  func write(_ file: any File, from position: Int64, byteCount: Int, to connection: ConnectionID) -> WriteOutcome
  func close(_ connection: ConnectionID)
  /// No more `Shard.received` for this connection until it is resumed: what the client sends waits in the kernel.
  func pauseReading(_ connection: ConnectionID)
  func resumeReading(_ connection: ConnectionID)
}

/// The way to the other shards of this broker: messages arrive in the order sent.
package protocol ShardLinks: AnyObject {
  func send(_ message: ShardMessage, to shard: Int)
  /// Lets what was sent leave now, and not with the end of the turn: for a turn that will take long.
  func post()
}
