internal import Effects
internal import Glibc
internal import Primitives

/// Which boot of the machine a data folder was last written under.
///
/// A process that dies leaves what it has written to the kernel; a machine that goes down does not. Whoever starts on a
/// folder tells the two apart by the id that Linux gives each boot.
enum BootMark {
  static let name = ".boot_id"

  /// The id of this boot; nil where the kernel tells none.
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

  /// Whether `directory` was last written under this very boot; notes that it is from now on.
  static func renew(in directory: String, _ fileSystem: any FileSystem) throws(IOError) -> Bool {
    let path = directory + "/" + name
    let now = current()
    var before: String?
    if fileSystem.exists(path) {
      before = String(decoding: try fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self)
    }
    if let now, before != now { try fileSystem.replace(path, with: Array(now.utf8)) }
    return now != nil && now == before
  }
}
