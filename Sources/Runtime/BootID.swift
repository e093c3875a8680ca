internal import Glibc

/// The id that Linux gives each boot of the machine.
enum BootID {
  /// nil where the kernel tells none.
  static func current() -> String? {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
      let count = read(descriptor, bytes.baseAddress, bytes.count)
      guard count > 0 else { return nil }
      let id = String(decoding: UnsafeRawBufferPointer(bytes)[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
      return id.isEmpty ? nil : id
    }
  }
}
