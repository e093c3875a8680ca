import Effects
import Synchronization

/// A disk that stops for good after a number of calls, and knows what a power cut at that point may leave of it: of the
/// names that changed since the folder was last synced any, of a file that was not synced what was there before.
final class StoppingDisk: FileSystem {
  enum Change {
    case create(String, MemoryFile)
    case rename(String, String)
    case remove(String)
  }

  struct State {
    /// Calls that still succeed; nil for all.
    var callsLeft: Int?
    var durable: [String: MemoryFile]
    var pending: [Change] = []
    var synced: [ObjectIdentifier: [UInt8]]
  }

  let memory: MemoryFileSystem
  let state: Mutex<State>

  /// Everything in `memory` is on the disk by now.
  init(_ memory: MemoryFileSystem) {
    self.memory = memory
    let files = memory.state.withLock { $0.files }
    var synced: [ObjectIdentifier: [UInt8]] = [:]
    for file in files.values { synced[ObjectIdentifier(file)] = file.contents }
    state = Mutex(State(callsLeft: nil, durable: files, synced: synced))
  }

  /// From now on `count` calls succeed.
  func stop(after count: Int?) { state.withLock { $0.callsLeft = count } }

  var hasStopped: Bool { state.withLock { $0.callsLeft == 0 } }

  /// Counts one call; throws when the disk has stopped.
  func call(_ operation: String, _ path: String) throws(IOError) {
    let isAllowed = state.withLock { state in
      guard let left = state.callsLeft else { return true }
      state.callsLeft = max(0, left - 1)
      return left > 0
    }
    if !isAllowed { throw IOError(operation: operation, path: path, errno: 5) }
  }

  func afterPowerCut(_ random: inout SeededGenerator) -> MemoryFileSystem {
    let (durable, pending, synced) = state.withLock { ($0.durable, $0.pending, $0.synced) }
    var names = durable
    for change in pending where Bool.random(using: &random) { Self.apply(change, to: &names) }
    let image = MemoryFileSystem()
    image.state.withLock { $0.directories = memory.state.withLock { $0.directories } }
    for (path, file) in names.sorted(by: { $0.key < $1.key }) {
      let isWhole = Bool.random(using: &random)
      image.setContents(path, isWhole ? file.contents : synced[ObjectIdentifier(file)] ?? [])
    }
    return image
  }

  private static func apply(_ change: Change, to names: inout [String: MemoryFile]) {
    switch change {
    case .create(let path, let file): names[path] = file
    case .rename(let from, let to):
      if let file = names.removeValue(forKey: from) { names[to] = file }
    case .remove(let path): names[path] = nil
    }
  }

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    try call("open", path)
    let isNew = !memory.exists(path)
    _ = try memory.open(path, mode)
    let opened = memory.state.withLock { $0.files[path] }
    guard let file = opened else { throw IOError(operation: "open", path: path, errno: 2) }
    if isNew { state.withLock { $0.pending.append(.create(path, file)) } }
    return StoppingFile(file, self)
  }

  func rename(_ from: String, to: String) throws(IOError) {
    try call("rename", from)
    try memory.rename(from, to: to)
    state.withLock { $0.pending.append(.rename(from, to)) }
  }

  func removeFile(_ path: String) throws(IOError) {
    try call("unlink", path)
    try memory.removeFile(path)
    state.withLock { $0.pending.append(.remove(path)) }
  }

  func syncDirectory(_ path: String) throws(IOError) {
    try call("fsync", path)
    state.withLock { state in
      for change in state.pending { Self.apply(change, to: &state.durable) }
      state.pending = []
    }
  }

  func noteSynced(_ file: MemoryFile) {
    let contents = file.contents
    state.withLock { $0.synced[ObjectIdentifier(file)] = contents }
  }

  func exists(_ path: String) -> Bool { memory.exists(path) }
  func list(_ directory: String) throws(IOError) -> [String] { try memory.list(directory) }
  func isDirectory(_ path: String) -> Bool { memory.isDirectory(path) }
  func createDirectory(_ path: String) throws(IOError) { try memory.createDirectory(path) }
  func removeDirectory(_ path: String) throws(IOError) { try memory.removeDirectory(path) }
  func syncAll(holding path: String) throws(IOError) { try call("syncfs", path) }
  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    try memory.space(at: path)
  }
}

final class StoppingFile: File {
  private let file: MemoryFile
  private let disk: StoppingDisk

  init(_ file: MemoryFile, _ disk: StoppingDisk) {
    self.file = file
    self.disk = disk
  }

  func size() throws(IOError) -> Int64 { try file.size() }
  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    try file.read(into: buffer, at: position)
  }
  func dropCache() {}
  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try disk.call("pwrite", file.path)
    try file.write(bytes, at: position)
  }
  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try disk.call("pwrite", file.path)
    try file.write(head, body, at: position)
  }
  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}
  func truncate(to byteCount: Int64) throws(IOError) {
    try disk.call("ftruncate", file.path)
    try file.truncate(to: byteCount)
  }
  func sync() throws(IOError) {
    try disk.call("fdatasync", file.path)
    disk.noteSynced(file)
  }
}
