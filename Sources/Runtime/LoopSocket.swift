/// A slot of an event loop: one connection after another.
struct LoopSocket {
  enum Stage {
    /// Can become: open (accepted), resolving, connecting.
    case free
    /// A connection of ours whose name is being looked up. Can become: connecting, free.
    case resolving(port: UInt16)
    /// A connection of ours on its way to one of its addresses; the others are tried after it. Can become: open, free.
    case connecting(port: UInt16, others: ArraySlice<String>)
    /// Can become: free.
    case open
  }

  var stage = Stage.free
  var descriptor: Int32 = -1
  /// Another one for each connection that takes the slot.
  var generation: UInt32 = 0
  /// Where a connection of ours leads to; nil where it was accepted.
  var dialledPort: UInt16?
  /// Who is counted for this connection; nil where it is one of ours.
  var acceptedFrom: String?
  /// The kernel may hold bytes that have not been read.
  var isReadable = false
  /// The other side has ended its half: only reading to the end shows it.
  var isHungUp = false
  var isPaused = false
  var isInReadList = false
}
