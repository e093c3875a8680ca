internal import Primitives
internal import Synchronization

/// Where loops that have nothing left to send wait for the others: a loop that ended early would leave questions of the
/// others unanswered.
final class StopBarrier: Sendable {
  private let arrived = Atomic<UInt64>(0)
  private let everybody: UInt64
  private let wasUnclean = Atomic<Bool>(false)
  private let ends = Mutex<[TopicPartition: Offset]>([:])
  private let epoch = Atomic<Int64>(-1)

  init(count: Int) { everybody = count >= 64 ? .max : (1 << UInt64(count)) - 1 }

  func arrive(_ index: Int) { arrived.bitwiseOr(1 << UInt64(index), ordering: .acquiringAndReleasing) }
  /// Where the logs of a loop ended that were closed in order.
  func note(closedEnds: [TopicPartition: Offset]) { ends.withLock { $0.merge(closedEnds) { $1 } } }
  var closedEnds: [TopicPartition: Offset] { ends.withLock { $0 } }

  /// Under which epoch the broker was part of its cluster; -1 where it was not.
  func note(brokerEpoch: Int64) { epoch.max(brokerEpoch, ordering: .acquiringAndReleasing) }
  var brokerEpoch: Int64 { epoch.load(ordering: .acquiring) }

  /// A log of some loop could not be closed in order.
  func noteUncleanStop() { wasUnclean.store(true, ordering: .releasing) }
  var isClean: Bool { !wasUnclean.load(ordering: .acquiring) }
  var isComplete: Bool { arrived.load(ordering: .acquiring) == everybody }
}
