import Client
import Glibc
import Primitives

/// Standard output with a buffer of our own: `write` on it costs a copy, not a system call.
final class StandardOutput {
  let buffer = OutputBuffer(capacity: 1 << 16)
  /// Set once the reader is gone (`| head`) or the disk is full: what comes then is dropped.
  private(set) var hasFailed = false

  func append(text: String) { buffer.append(text: text) }

  /// Writes the line and a line end.
  func line(_ text: String) {
    buffer.append(text: text)
    buffer.append([0x0a])
  }

  /// Hands on what is buffered if it is much.
  func flushIfFull() { if buffer.count >= 1 << 16 { flush() } }

  /// Hands on what is buffered; false once nobody takes it.
  @discardableResult
  func flush() -> Bool {
    while !buffer.isEmpty, !hasFailed {
      let written = write(STDOUT_FILENO, buffer.bytes.baseAddress, buffer.count)
      if written > 0 {
        buffer.consume(written)
      } else if errno != EINTR {
        hasFailed = true
      }
    }
    if hasFailed { buffer.removeAll() }
    return !hasFailed
  }

  deinit { flush() }
}

/// Writes to standard error, at once.
func standardError(_ text: String) {
  var text = text
  text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let written = write(STDERR_FILENO, rest.baseAddress, rest.count)
      if written <= 0 { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }
}
