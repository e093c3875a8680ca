import Effects
import Synchronization

/// A disk in memory that can tear writes, refuse operations, and lose what was not synced.
///
/// A file has two contents: what processes see, and what a power cut leaves. Names have too.
final class MemoryFileSystem: FileSystem {
  struct State {
    /// What processes see.
    var files: [String: MemoryFile] = [:]
    /// The names a power cut leaves.
    var durableNames: [String: MemoryFile] = [:]
    var directories: Set<String> = []
    /// Bytes of the next write that reach the file before it fails; nil: it goes well.
    var tearNextWriteAt: Int?
    /// Operations that fail from now on, such as `sync` or `truncate /data/log`, with their errno.
    var failing: [String: Int32] = [:]
    var syncCount = 0
  }
  let state = Mutex(State())

  func check(_ operation: String, _ path: String) throws(IOError) {
    let errno = state.withLock { $0.failing[operation] ?? $0.failing[operation + " " + path] }
    if let errno { throw IOError(operation: operation, path: path, errno: errno) }
  }

  func fail(_ operation: String, errno: Int32 = 5) { state.withLock { $0.failing[operation] = errno } }
  func tearNextWrite(at byteCount: Int) { state.withLock { $0.tearNextWriteAt = byteCount } }
  var syncCount: Int { state.withLock { $0.syncCount } }
  func heal() { state.withLock { $0.failing = [:] } }

  /// The disk after a power cut.
  func afterPowerCut() -> MemoryFileSystem {
    let next = MemoryFileSystem()
    let (names, directories) = state.withLock { ($0.durableNames, $0.directories) }
    for (name, file) in names { next.put(name, file.durableBytes) }
    next.state.withLock { $0.directories = directories }
    return next
  }

  /// A copy as another process would find it now.
  func copy() -> MemoryFileSystem {
    let next = MemoryFileSystem()
    let (files, directories) = state.withLock { ($0.files, $0.directories) }
    for (name, file) in files { next.put(name, file.visibleBytes) }
    next.state.withLock { $0.directories = directories }
    return next
  }

  func put(_ path: String, _ bytes: [UInt8]) {
    let file = MemoryFile(path: path, fileSystem: self, bytes: bytes)
    state.withLock { state in
      state.files[path] = file
      state.durableNames[path] = file
    }
  }

  func bytes(_ path: String) -> [UInt8]? { state.withLock { $0.files[path] }?.visibleBytes }

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    try check("open", path)
    if let file = state.withLock({ $0.files[path] }) { return file }
    guard mode == .readWrite else { throw IOError(operation: "open", path: path, errno: 2) }
    let file = MemoryFile(path: path, fileSystem: self, bytes: [])
    state.withLock { $0.files[path] = file }
    return file
  }

  func exists(_ path: String) -> Bool { state.withLock { $0.files[path] != nil || $0.directories.contains(path) } }
  func list(_ directory: String) throws(IOError) -> [String] {
    state.withLock { $0.files.keys.filter { $0.hasPrefix(directory + "/") }.sorted() }
  }
  func isDirectory(_ path: String) -> Bool { state.withLock { $0.directories.contains(path) } }
  func createDirectory(_ path: String) throws(IOError) { _ = state.withLock { $0.directories.insert(path) } }
  func rename(_ from: String, to: String) throws(IOError) {
    try check("rename", from)
    state.withLock { $0.files[to] = $0.files.removeValue(forKey: from) }
  }
  func removeFile(_ path: String) throws(IOError) { _ = state.withLock { $0.files.removeValue(forKey: path) } }
  func removeDirectory(_ path: String) throws(IOError) {
    state.withLock { state in state.files = state.files.filter { !$0.key.hasPrefix(path + "/") } }
  }
  func syncDirectory(_ path: String) throws(IOError) {
    try check("syncDirectory", path)
    state.withLock { state in
      let isInside = { (name: String) in name.hasPrefix(path + "/") && !name.dropFirst(path.count + 1).contains("/") }
      state.durableNames = state.durableNames.filter { !isInside($0.key) }
      for (name, file) in state.files where isInside(name) { state.durableNames[name] = file }
    }
  }
  func syncAll(holding path: String) throws(IOError) {}
  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) { (1 << 40, 1 << 40) }
}

final class MemoryFile: File {
  private let path: String
  private let fileSystem: MemoryFileSystem
  private let contents: Mutex<(visible: [UInt8], durable: [UInt8])>

  init(path: String, fileSystem: MemoryFileSystem, bytes: [UInt8]) {
    self.path = path
    self.fileSystem = fileSystem
    contents = Mutex((visible: bytes, durable: bytes))
  }

  var visibleBytes: [UInt8] { contents.withLock { $0.visible } }
  var durableBytes: [UInt8] { contents.withLock { $0.durable } }

  func size() throws(IOError) -> Int64 { Int64(visibleBytes.count) }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    try fileSystem.check("read", path)
    let rest = visibleBytes.dropFirst(Int(position)).prefix(buffer.count)
    buffer.copyBytes(from: rest)
    return rest.count
  }

  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func dropCache() {}
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try fileSystem.check("write", path)
    let tear = fileSystem.state.withLock { state in
      defer { state.tearNextWriteAt = nil }
      return state.tearNextWriteAt
    }
    let written = [UInt8](bytes.prefix(tear ?? bytes.count))
    contents.withLock { contents in
      let end = Int(position) + written.count
      if contents.visible.count < end {
        contents.visible += [UInt8](repeating: 0, count: end - contents.visible.count)
      }
      contents.visible.replaceSubrange(Int(position)..<end, with: written)
    }
    if tear != nil { throw IOError(operation: "pwrite", path: path, errno: 28) }
  }

  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try write(head, at: position)
    try write(body, at: position + Int64(head.count))
  }

  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}

  func truncate(to byteCount: Int64) throws(IOError) {
    try fileSystem.check("truncate", path)
    contents.withLock { contents in
      let count = contents.visible.count
      if count > Int(byteCount) {
        contents.visible.removeLast(count - Int(byteCount))
      } else {
        contents.visible += [UInt8](repeating: 0, count: Int(byteCount) - count)
      }
    }
  }

  func sync() throws(IOError) {
    try fileSystem.check("sync", path)
    fileSystem.state.withLock { $0.syncCount += 1 }
    contents.withLock { $0.durable = $0.visible }
  }
}
