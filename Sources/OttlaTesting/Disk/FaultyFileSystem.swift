internal import Effects

/// Files and folders of another file system, as long as nothing is to fail.
final class FaultyFileSystem: FileSystem {
  private let inner: any FileSystem
  private let faults: DiskFaults

  init(_ inner: any FileSystem, _ faults: DiskFaults) {
    self.inner = inner
    self.faults = faults
  }

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    if !inner.exists(path) { try faults.checkGrowth(true, "open", path) }
    return FaultyFile(try inner.open(path, mode), path, faults)
  }

  func exists(_ path: String) -> Bool { inner.exists(path) }
  func isDirectory(_ path: String) -> Bool { inner.isDirectory(path) }

  func list(_ directory: String) throws(IOError) -> [String] {
    try faults.check(.reads, "opendir", directory)
    return try inner.list(directory)
  }

  func createDirectory(_ path: String) throws(IOError) {
    if inner.isDirectory(path) { return }
    try faults.checkGrowth(true, "mkdir", path)
    try inner.createDirectory(path)
  }

  func rename(_ from: String, to: String) throws(IOError) {
    try faults.checkGrowth(false, "rename", from)
    try inner.rename(from, to: to)
  }

  func removeFile(_ path: String) throws(IOError) {
    try faults.checkGrowth(false, "unlink", path)
    try inner.removeFile(path)
  }

  func removeDirectory(_ path: String) throws(IOError) {
    try faults.checkGrowth(false, "rmdir", path)
    try inner.removeDirectory(path)
  }

  func syncDirectory(_ path: String) throws(IOError) {
    try faults.check(.syncs, "fsync", path)
    try inner.syncDirectory(path)
  }

  func syncAll(holding path: String) throws(IOError) {
    try faults.check(.syncs, "syncfs", path)
    try inner.syncAll(holding: path)
  }

  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    let space = try inner.space(at: path)
    return faults.isFull ? (space.totalBytes, 0) : space
  }
}

/// A file of a `FaultyFileSystem`.
private final class FaultyFile: File {
  private let inner: any File
  private let path: String
  private let faults: DiskFaults

  init(_ inner: any File, _ path: String, _ faults: DiskFaults) {
    self.inner = inner
    self.path = path
    self.faults = faults
  }

  func size() throws(IOError) -> Int64 { try inner.size() }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    try faults.check(.reads, "pread", path)
    return try inner.read(into: buffer, at: position)
  }

  func readNothingAhead() { inner.readNothingAhead() }
  func isCached(_ byteCount: Int, at position: Int64) -> Bool { inner.isCached(byteCount, at: position) }
  func dropCache() { inner.dropCache() }

  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try checkRoom(bytes.count, at: position, "pwrite")
    try inner.write(bytes, at: position)
  }

  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try checkRoom(head.count + body.count, at: position, "pwritev")
    try inner.write(head, body, at: position)
  }

  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {
    // A full disk is told by the write, as the kernel's files do it.
    try faults.check(.writes, "fallocate", path)
    if !faults.isFull { try inner.preallocate(byteCount, at: position) }
  }

  func truncate(to byteCount: Int64) throws(IOError) {
    try checkRoom(upTo: byteCount, "ftruncate")
    try inner.truncate(to: byteCount)
  }

  func sync() throws(IOError) {
    try faults.check(.syncs, "fdatasync", path)
    try inner.sync()
  }

  private func checkRoom(_ byteCount: Int, at position: Int64, _ operation: String) throws(IOError) {
    try checkRoom(upTo: position + Int64(byteCount), operation)
  }

  /// A full disk takes what does not make the file longer.
  private func checkRoom(upTo end: Int64, _ operation: String) throws(IOError) {
    let size = faults.isFull ? try inner.size() : .max
    try faults.checkGrowth(end > size, operation, path)
  }
}
