internal import CLinux

/// Something that happens once, and that a thread waits for.
final class Signal: Sendable {
  private let descriptor: Int32

  init() {
    descriptor = ottla_eventfd()
    precondition(descriptor >= 0, "the kernel refused an eventfd: errno \(-descriptor)")
  }

  deinit { _ = ottla_close(descriptor) }

  func set() { ottla_eventfd_signal(descriptor) }

  func wait() { ottla_wait_readable(descriptor, -1) }
}
