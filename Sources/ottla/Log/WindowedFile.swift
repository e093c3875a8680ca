import Glibc

/// A file read through a window of memory, mostly from front to back.
final class WindowedFile {
  let path: String
  /// Bytes when it was opened: what is appended later is not seen.
  let byteCount: Int
  private let descriptor: Int32
  private var window: UnsafeMutableRawBufferPointer
  private var windowStart = 0
  private var windowCount = 0

  private static let windowBytes = 1 << 20

  init(_ path: String) throws(CommandFailure) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("\(path): \(systemReason())") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw CommandFailure("\(path): \(systemReason())")
    }
    byteCount = Int(status.st_size)
    window = .allocate(byteCount: Self.windowBytes, alignment: 16)
  }

  deinit {
    window.deallocate()
    close(descriptor)
  }

  /// `count` bytes from `position`, good until the next call; nil where the file has fewer.
  func bytes(at position: Int, count: Int) throws(CommandFailure) -> UnsafeRawBufferPointer? {
    guard position >= 0, count >= 0, count <= byteCount - position else { return nil }
    if position < windowStart || position + count > windowStart + windowCount { try fill(from: position, count) }
    guard position + count <= windowStart + windowCount else { return nil }
    let start = position - windowStart
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(window)[start..<start + count])
  }

  private func fill(from position: Int, _ count: Int) throws(CommandFailure) {
    if window.count < count {
      window.deallocate()
      window = .allocate(byteCount: count, alignment: 16)
    }
    windowStart = position
    windowCount = 0
    while windowCount < window.count {
      let read = pread(
        descriptor, window.baseAddress.map { $0 + windowCount }, window.count - windowCount,
        off_t(position + windowCount))
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw CommandFailure("\(path): \(systemReason())") }
      if read == 0 { return }
      windowCount += read
    }
  }
}

/// The system's sentence for what just failed.
func systemReason() -> String { strerror(errno).map { String(cString: $0).lowercased() } ?? "error \(errno)" }
