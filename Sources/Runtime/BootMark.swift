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

  /// Whether the last run that was part of its cluster wrote to `directory` under this very boot, and lost nothing.
  static func isCurrent(in directory: String, _ fileSystem: any FileSystem) throws(IOError) -> Bool {
    let path = directory + "/" + name
    guard let now = current(), fileSystem.exists(path) else { return false }
    return String(decoding: try fileSystem.readAll(path, byteCountMax: 4096), as: UTF8.self) == now
  }

  /// Notes that `directory` is written under this boot. Only when the cluster has heard how the run before ended: a process
  /// that dies before that must not make the next one say that nothing was lost.
  static func renew(in directory: String, _ fileSystem: any FileSystem) throws(IOError) {
    guard let now = current(), try !isCurrent(in: directory, fileSystem) else { return }
    try fileSystem.replace(directory + "/" + name, with: Array(now.utf8))
  }

  /// A disk has failed: what was written and not flushed may be gone though the machine goes on. As far as the disk still
  /// takes that note.
  static func forget(in directory: String, _ fileSystem: any FileSystem) {
    try? fileSystem.removeFile(directory + "/" + name)
    try? fileSystem.syncDirectory(directory)
  }
}
