internal import CLinux
internal import Synchronization

/// Where the stop of a broker waits for its first shard to have left the cluster.
final class LeaveSignal: Sendable {
  private let descriptor: Int32 = ottla_eventfd()

  deinit { _ = ottla_close(descriptor) }

  func set() { ottla_eventfd_signal(descriptor) }

  /// Waits until it is set, or so many ms.
  func wait(msMax: Int32) { ottla_wait_readable(descriptor, msMax) }
}
