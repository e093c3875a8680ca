internal import CLinux
internal import Synchronization

/// Where the start of a broker waits for its first shard.
final class StartSignal: Sendable {
  private let result = Mutex<Result<Void, StartFailure>?>(nil)
  private let descriptor: Int32 = ottla_eventfd()

  deinit { _ = ottla_close(descriptor) }

  func set(_ outcome: Result<Void, StartFailure>) {
    result.withLock { if $0 == nil { $0 = outcome } }
    ottla_eventfd_signal(descriptor)
  }

  func wait() -> Result<Void, StartFailure> {
    while true {
      if let outcome = result.withLock({ $0 }) { return outcome }
      ottla_wait_readable(descriptor, -1)
    }
  }
}
