import Effects
import Synchronization

/// A disk in memory that can be told to fail: the n-th write or sync from now on is refused, or torn.
final class MemoryFileSystem: FileSystem {
  struct State {
    var files: [String: MemoryFile] = [:]
    var directories: Set<String> = ["."]
  }

  struct Faults {
    /// Writes that still succeed; nil for all.
    var writesLeft: Int?
    /// What a refused write fails with: EIO, or 28 for a full disk.
    var writeErrno: Int32 = 5
    /// Bytes of the failing write that reach the file.
    var tornByteCount = 0
    var syncsLeft: Int?
    /// Opens that still succeed; nil for all.
    var opensLeft: Int?
    /// Only paths with this ending are refused; nil for all.
    var suffix: String?

    /// Counts one operation on `path` down in `left`; false when it is to be refused.
    mutating func allow(_ left: WritableKeyPath<Faults, Int?>, _ path: String) -> Bool {
      guard let count = self[keyPath: left], suffix.map({ path.hasSuffix($0) }) ?? true else { return true }
      self[keyPath: left] = max(0, count - 1)
      return count > 0
    }
  }

  let state = Mutex(State())
  let faults = Mutex(Faults())
  /// Every file and folder that was synced, in order.
  let synced = Mutex<[String]>([])
  let preads = Atomic<Int>(0)
  let opens = Atomic<Int>(0)

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    opens.add(1, ordering: .relaxed)
    guard faults.withLock({ $0.allow(\.opensLeft, path) }) else {
      throw IOError(operation: "open", path: path, errno: 24)
    }
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

  func exists(_ path: String) -> Bool {
    state.withLock { $0.files[path] != nil || $0.directories.contains(path) }
  }

  func list(_ directory: String) throws(IOError) -> [String] {
    let names: [String]? = state.withLock { state in
      guard state.directories.contains(directory) else { return nil }
      let all = Array(state.files.keys) + Array(state.directories)
      return all.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }
        .filter { !$0.contains("/") }.sorted()
    }
    guard let names else { throw IOError(operation: "list", path: directory, errno: 2) }
    return names
  }

  func isDirectory(_ path: String) -> Bool { state.withLock { $0.directories.contains(path) } }

  func createDirectory(_ path: String) throws(IOError) {
    state.withLock { state in
      var name = ""
      for piece in path.split(separator: "/", omittingEmptySubsequences: false) {
        name += name.isEmpty && piece.isEmpty ? "" : (name.isEmpty ? "" : "/") + piece
        state.directories.insert(name)
      }
    }
  }

  func rename(_ from: String, to: String) throws(IOError) {
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

  func removeFile(_ path: String) throws(IOError) {
    let removed = state.withLock { $0.files.removeValue(forKey: path) }
    if removed == nil { throw IOError(operation: "unlink", path: path, errno: 2) }
  }

  func removeDirectory(_ path: String) throws(IOError) {
    state.withLock { state in
      state.directories = state.directories.filter { $0 != path && !$0.hasPrefix(path + "/") }
      state.files = state.files.filter { !$0.key.hasPrefix(path + "/") }
    }
  }

  func syncDirectory(_ path: String) throws(IOError) { synced.withLock { $0.append(path) } }
  func syncAll(holding path: String) throws(IOError) {}
  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) { (1 << 40, 1 << 40) }

  /// A copy of everything, as a disk image: what a stopped machine leaves.
  func copy() -> MemoryFileSystem {
    let copy = MemoryFileSystem()
    let (files, directories) = state.withLock { ($0.files, $0.directories) }
    copy.state.withLock { state in
      state.directories = directories
      for (path, file) in files {
        let twin = MemoryFile(path: path, fileSystem: copy)
        twin.bytes.withLock { $0 = file.contents }
        state.files[path] = twin
      }
    }
    return copy
  }

  func contents(_ path: String) -> [UInt8]? { state.withLock { $0.files[path] }?.contents }

  func setContents(_ path: String, _ bytes: [UInt8]) {
    let file = state.withLock { state in
      let file = state.files[path] ?? MemoryFile(path: path, fileSystem: self)
      state.files[path] = file
      return file
    }
    file.bytes.withLock { $0 = bytes }
  }

  func names(in directory: String) -> [String] { (try? list(directory)) ?? [] }
}

final class MemoryFile: File {
  let path: String
  let bytes = Mutex<[UInt8]>([])
  private unowned let fileSystem: MemoryFileSystem

  init(path: String, fileSystem: MemoryFileSystem) {
    self.path = path
    self.fileSystem = fileSystem
  }

  var contents: [UInt8] { bytes.withLock { $0 } }

  func size() throws(IOError) -> Int64 { bytes.withLock { Int64($0.count) } }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    fileSystem.preads.add(1, ordering: .relaxed)
    let bytes = contents
    let count = max(0, min(buffer.count, bytes.count - Int(position)))
    if count > 0 { buffer.copyBytes(from: bytes[Int(position)..<(Int(position) + count)]) }
    return count
  }

  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func dropCache() {}
  func write(_ source: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let (allowed, errno) = fileSystem.faults.withLock { faults -> (Int?, Int32) in
      (faults.allow(\.writesLeft, path) ? nil : min(faults.tornByteCount, source.count), faults.writeErrno)
    }
    let count = allowed ?? source.count
    let end = Int(position) + count
    let slice = Array(source[..<count])
    bytes.withLock { bytes in
      if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
      bytes.replaceSubrange(Int(position)..<end, with: slice)
    }
    if allowed != nil { throw IOError(operation: "pwrite", path: path, errno: errno) }
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
    if !fileSystem.faults.withLock({ $0.allow(\.syncsLeft, path) }) {
      throw IOError(operation: "fdatasync", path: path, errno: 5)
    }
    fileSystem.synced.withLock { $0.append(path) }
  }
}
