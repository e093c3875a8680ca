internal import CLinux
package import Effects
internal import Glibc
internal import Synchronization

/// A file behind a descriptor, closed with the last reference to it.
package final class LinuxFile: File {
  let descriptor: Int32
  private let path: String
  private let readsNothingAhead = Atomic<Bool>(false)

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { _ = ottla_close(descriptor) }

  package func size() throws(IOError) -> Int64 {
    Int64(try checked(Int(ottla_file_size(descriptor)), "fstat", path))
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    try checked(ottla_pread(descriptor, buffer.baseAddress, buffer.count, position), "pread", path)
  }

  package func readNothingAhead() {
    if !readsNothingAhead.exchange(true, ordering: .relaxed) { ottla_read_nothing_ahead(descriptor) }
  }

  package func isCached(_ byteCount: Int, at position: Int64) -> Bool {
    ottla_is_cached(descriptor, position, byteCount) != 0
  }

  package func dropCache() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }

  package func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    _ = try checked(ottla_pwrite(descriptor, bytes.baseAddress, bytes.count, position), "pwrite", path)
  }

  package func write(
    _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
  ) throws(IOError) {
    let written = ottla_pwrite_two(
      descriptor, head.baseAddress, head.count, body.baseAddress, body.count, position)
    _ = try checked(written, "pwritev", path)
  }

  package func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {
    let outcome = ottla_preallocate(descriptor, position, byteCount)
    // A file system without fallocate works all the same, only slower; a full disk is told by the write.
    if outcome == -EOPNOTSUPP || outcome == -ENOSYS || outcome == -ENOSPC { return }
    _ = try checked(Int(outcome), "fallocate", path)
  }

  package func truncate(to byteCount: Int64) throws(IOError) {
    _ = try checked(Int(ottla_truncate(descriptor, byteCount)), "ftruncate", path)
  }

  package func sync() throws(IOError) {
    _ = try checked(Int(ottla_sync(descriptor)), "fdatasync", path)
  }
}

/// `outcome` of a system call, or the error it stands for.
func checked(_ outcome: Int, _ operation: String, _ path: String) throws(IOError) -> Int {
  guard outcome < 0 else { return outcome }
  throw IOError(operation: operation, path: path, errno: Int32(truncatingIfNeeded: -outcome))
}

/// The kernel's files and folders.
package final class LinuxFileSystem: FileSystem {
  package init() {}

  package func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    let writable: Int32 = mode == .readWrite ? 1 : 0
    let descriptor = try checked(Int(ottla_open(path, writable)), "open", path)
    return LinuxFile(descriptor: Int32(descriptor), path: path)
  }

  package func exists(_ path: String) -> Bool { ottla_path_kind(path) != 0 }
  package func isDirectory(_ path: String) -> Bool { ottla_path_kind(path) == 2 }

  package func list(_ directory: String) throws(IOError) -> [String] {
    guard let stream = opendir(directory) else { throw IOError(operation: "opendir", path: directory, errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package func createDirectory(_ path: String) throws(IOError) {
    if path.isEmpty || isDirectory(path) { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try createDirectory(String(path[..<slash])) }
    let outcome = ottla_make_directory(path)
    if outcome == -EEXIST, isDirectory(path) { return }
    _ = try checked(Int(outcome), "mkdir", path)
  }

  package func rename(_ from: String, to: String) throws(IOError) {
    _ = try checked(Int(ottla_rename(from, to)), "rename", from)
  }

  package func removeFile(_ path: String) throws(IOError) {
    _ = try checked(Int(ottla_remove_file(path)), "unlink", path)
  }

  package func removeDirectory(_ path: String) throws(IOError) {
    for name in try list(path) {
      let inner = path + "/" + name
      if isDirectory(inner) { try removeDirectory(inner) } else { try removeFile(inner) }
    }
    _ = try checked(Int(ottla_remove_empty_directory(path)), "rmdir", path)
  }

  package func syncDirectory(_ path: String) throws(IOError) {
    _ = try checked(Int(ottla_sync_directory(path)), "fsync", path)
  }

  package func syncAll(holding path: String) throws(IOError) {
    _ = try checked(Int(ottla_sync_file_system(path)), "syncfs", path)
  }

  package func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    var total: Int64 = 0
    var usable: Int64 = 0
    _ = try checked(Int(ottla_space(path, &total, &usable)), "statvfs", path)
    return (total, usable)
  }
}
