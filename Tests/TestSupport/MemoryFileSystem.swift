package import Effects
internal import Synchronization

/// A disk in memory that can be told to refuse writes. What a process wrote outlives it, synced or not.
package final class MemoryFileSystem: FileSystem {
  private struct State {
    var files: [String: MemoryFile] = [:]
    var directories: Set<String> = []
  }

  private struct Faults {
    /// Only writes to paths that contain this are counted and refused.
    var pathPart = ""
    /// Writes that still succeed; nil for all.
    var writesLeft: Int?
    /// Only syncs of paths that contain this are refused; nil for none.
    var unsyncable: String?
    /// Only reads from paths that contain this are refused; nil for none.
    var unreadable: String?
    /// Bytes of a refused write that reach the file all the same.
    var tornByteCount = 0
    var errno: Int32 = 5
  }

  package init() {}

  private let state = Mutex(State())
  private let faults = Mutex(Faults())
  private let hasCache = Mutex(true)
  private let spaceBytes = Mutex<(totalBytes: Int64, usableBytes: Int64)>((1 << 40, 1 << 40))

  /// Refuses writes to paths that contain `pathPart`, after `writesLeft` more have gone well.
  /// They fail as on a broken disk (EIO), or with another `errno`: 28 is a full one.
  package func failWrites(to pathPart: String, after writesLeft: Int = 0, tornByteCount: Int = 0, errno: Int32 = 5) {
    faults.withLock {
      $0 = Faults(pathPart: pathPart, writesLeft: writesLeft, tornByteCount: tornByteCount, errno: errno)
    }
  }

  fileprivate var errno: Int32 { faults.withLock { $0.errno } }

  /// Refuses reads from paths that contain `pathPart`.
  package func failReads(from pathPart: String) { faults.withLock { $0.unreadable = pathPart } }

  /// Refuses syncs of files whose paths contain `pathPart`.
  package func failSyncs(of pathPart: String) { faults.withLock { $0.unsyncable = pathPart } }

  fileprivate func isUnsyncable(_ path: String) -> Bool {
    faults.withLock { faults in faults.unsyncable.map { path.contains($0) } ?? false }
  }

  fileprivate func isUnreadable(_ path: String) -> Bool {
    faults.withLock { faults in faults.unreadable.map { path.contains($0) } ?? false }
  }

  /// From now on nothing that is read is in memory.
  package func forgetCache() { hasCache.withLock { $0 = false } }

  fileprivate var isCacheful: Bool { hasCache.withLock { $0 } }

  package func heal() { faults.withLock { $0 = Faults() } }

  /// How many bytes of a write of `byteCount` reach the file; nil when all do and the write goes well.
  fileprivate func refusal(of path: String, _ byteCount: Int) -> Int? {
    faults.withLock { faults in
      guard let left = faults.writesLeft, path.contains(faults.pathPart) else { return nil }
      guard left == 0 else {
        faults.writesLeft = left - 1
        return nil
      }
      return min(faults.tornByteCount, byteCount)
    }
  }

  package func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    let file: MemoryFile? = state.withLock { state in
      if let file = state.files[path] { return file }
      let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
      guard mode == .readWrite, state.directories.contains(parent) else { return nil }
      let file = MemoryFile(path: path, fileSystem: self)
      state.files[path] = file
      return file
    }
    guard let file else { throw IOError(operation: "open", path: path, errno: 2) }
    return file
  }

  package func exists(_ path: String) -> Bool {
    state.withLock { $0.files[path] != nil || $0.directories.contains(path) }
  }

  package func list(_ directory: String) throws(IOError) -> [String] {
    let names: [String]? = state.withLock { state in
      guard state.directories.contains(directory) else { return nil }
      let all = Array(state.files.keys) + Array(state.directories)
      return all.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }
        .filter { !$0.contains("/") }.sorted()
    }
    guard let names else { throw IOError(operation: "list", path: directory, errno: 2) }
    return names
  }

  package func isDirectory(_ path: String) -> Bool { state.withLock { $0.directories.contains(path) } }

  package func createDirectory(_ path: String) throws(IOError) {
    state.withLock { state in
      var name = ""
      for piece in path.split(separator: "/") {
        name += "/" + piece
        state.directories.insert(name)
      }
    }
  }

  package func rename(_ from: String, to: String) throws(IOError) {
    let isDone: Bool = state.withLock { state in
      if let file = state.files.removeValue(forKey: from) {
        state.files[to] = file
        return true
      }
      guard state.directories.remove(from) != nil else { return false }
      state.directories.insert(to)
      for (name, file) in state.files where name.hasPrefix(from + "/") {
        state.files.removeValue(forKey: name)
        state.files[to + name.dropFirst(from.count)] = file
      }
      return true
    }
    if !isDone { throw IOError(operation: "rename", path: from, errno: 2) }
  }

  package func removeFile(_ path: String) throws(IOError) {
    let removed = state.withLock { $0.files.removeValue(forKey: path) }
    if removed == nil { throw IOError(operation: "unlink", path: path, errno: 2) }
  }

  package func removeDirectory(_ path: String) throws(IOError) {
    state.withLock { state in
      state.directories = state.directories.filter { $0 != path && !$0.hasPrefix(path + "/") }
      state.files = state.files.filter { !$0.key.hasPrefix(path + "/") }
    }
  }

  package func syncDirectory(_ path: String) throws(IOError) {}
  package func syncAll(holding path: String) throws(IOError) {}

  /// Says that a disk has so many bytes, and so many left.
  package func setSpace(totalBytes: Int64, usableBytes: Int64) {
    spaceBytes.withLock { $0 = (totalBytes, usableBytes) }
  }

  package func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    spaceBytes.withLock { $0 }
  }
}

private final class MemoryFile: File {
  private let path: String
  private let bytes = Mutex<[UInt8]>([])
  private unowned let fileSystem: MemoryFileSystem

  init(path: String, fileSystem: MemoryFileSystem) {
    self.path = path
    self.fileSystem = fileSystem
  }

  func size() throws(IOError) -> Int64 { bytes.withLock { Int64($0.count) } }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    if fileSystem.isUnreadable(path) { throw IOError(operation: "pread", path: path, errno: 5) }
    return bytes.withLock { bytes in
      let count = max(0, min(buffer.count, bytes.count - Int(position)))
      if count > 0 { buffer.copyBytes(from: bytes[Int(position)..<(Int(position) + count)]) }
      return count
    }
  }

  func isCached(_ byteCount: Int, at position: Int64) -> Bool { fileSystem.isCacheful }
  func dropCache() {}
  func write(_ source: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let refused = fileSystem.refusal(of: path, source.count)
    let written = Array(source[..<(refused ?? source.count)])
    let end = Int(position) + written.count
    bytes.withLock { bytes in
      if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
      bytes.replaceSubrange(Int(position)..<end, with: written)
    }
    if refused != nil { throw IOError(operation: "pwrite", path: path, errno: fileSystem.errno) }
  }

  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let all = Array(head) + Array(body)
    var failure: IOError?
    all.withUnsafeBytes { buffer in
      do throws(IOError) { try write(buffer, at: position) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}

  func truncate(to byteCount: Int64) throws(IOError) {
    bytes.withLock { bytes in
      if bytes.count > Int(byteCount) {
        bytes.removeLast(bytes.count - Int(byteCount))
      } else {
        bytes.append(contentsOf: repeatElement(0, count: Int(byteCount) - bytes.count))
      }
    }
  }

  func sync() throws(IOError) {
    if fileSystem.isUnsyncable(path) { throw IOError(operation: "fdatasync", path: path, errno: 5) }
  }
}
