internal import Broker
internal import CLinux
internal import Synchronization

/// What arrives at an event loop from other threads.
enum LoopMessage: Sendable {
  case shard(ShardMessage)
  /// A connection that another loop accepted for this one.
  case accepted(descriptor: Int32, PeerAddressBox)
  /// A job for the disk has been done.
  case disk(DiskToken, DiskResult)
  /// Where a name leads that a connection of this loop waits for; nowhere where there are no addresses.
  case resolved(ConnectionID, addresses: [String])
  /// Listen from now on: the broker is ready.
  case listen
  /// The coordination service has something to tell.
  case coordination
  /// Give all leadership away and leave the cluster; then say so.
  case leave(LeaveSignal)
  /// The network's switch was changed.
  case network
  /// Lets somebody look at the shard.
  case look(@Sendable (LoopView) -> Void)
  case stop
  /// End at once, as a process that is killed.
  case kill
}

/// An address on its way between threads.
struct PeerAddressBox: Sendable {
  let address: PeerAddress
}

/// The way into an event loop from any thread: messages from one thread arrive in the order sent.
///
/// A loop about to sleep says so first and looks once more; a sender posts first and looks whether the loop sleeps after.
/// Whichever comes first, one of the two sees the other, and no message waits beside a sleeping loop.
package final class Mailbox: Sendable {
  private let messages = Mutex<[LoopMessage]>([])
  private let isEmpty = Atomic<Bool>(true)
  private let isAsleep = Atomic<Bool>(false)
  let eventDescriptor: Int32

  package init() {
    eventDescriptor = ottla_eventfd()
    precondition(eventDescriptor >= 0, "the kernel refused an eventfd: errno \(-eventDescriptor)")
  }

  deinit { _ = ottla_close(eventDescriptor) }

  func post(_ batch: [LoopMessage]) {
    messages.withLock { $0 += batch }
    isEmpty.store(false, ordering: .sequentiallyConsistent)
    if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { ottla_eventfd_signal(eventDescriptor) }
  }

  /// Everything that has arrived, in order.
  func take() -> [LoopMessage] {
    guard !isEmpty.load(ordering: .acquiring) else { return [] }
    isEmpty.store(true, ordering: .sequentiallyConsistent)
    return messages.withLock { messages in
      let taken = messages
      messages = []
      return taken
    }
  }

  /// Says that the loop is about to sleep; false when it must not, for something has arrived.
  func fallAsleep() -> Bool {
    isAsleep.store(true, ordering: .sequentiallyConsistent)
    if isEmpty.load(ordering: .sequentiallyConsistent) { return true }
    isAsleep.store(false, ordering: .sequentiallyConsistent)
    return false
  }

  func wakeUp() { isAsleep.store(false, ordering: .sequentiallyConsistent) }

  /// Lets the loop ask its coordination service: from any thread.
  package func wakeForCoordination() { post([.coordination]) }

  /// Asks the loop to end: from any thread.
  package func stop() { post([.stop]) }
}
