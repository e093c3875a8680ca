import Effects
import Simulation
import Synchronization

/// A disk that stops for good after a number of calls, and knows what a power cut at that point may leave of it: of the
/// names that changed since the folder was last synced any, of a file that was not synced what was there before.
final class StoppingDisk: FileSystem {
  enum Change {
    case create(String, StoredFile)
    case rename(String, String)
    case remove(String)
  }

  struct State {
    /// Calls that still succeed; nil for all.
    var callsLeft: Int?
    var durable: [String: StoredFile]
    /// What processes see.
    var visible: [String: StoredFile]
    var pending: [Change] = []
  }

  let memory: SimulatedDisk
  let state: Mutex<State>

  /// Everything in `memory`, that is in the folder of one log, is on the disk by now.
  init(_ memory: SimulatedDisk) throws(IOError) {
    self.memory = memory
    var files: [String: StoredFile] = [:]
    for name in memory.names(in: LogFixture.directory) {
      let path = LogFixture.directory + "/" + name
      files[path] = StoredFile(try memory.open(path, .readWrite), synced: memory.contents(path) ?? [])
    }
    state = Mutex(State(callsLeft: nil, durable: files, visible: files))
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

  func afterPowerCut(_ random: inout SeededGenerator) -> SimulatedDisk {
    let (durable, pending) = state.withLock { ($0.durable, $0.pending) }
    var names = durable
    for change in pending where Bool.random(using: &random) { Self.apply(change, to: &names) }
    let image = SimulatedDisk(folders: [LogFixture.directory])
    for (path, file) in names.sorted(by: { $0.key < $1.key }) {
      let isWhole = Bool.random(using: &random)
      image.setContents(path, isWhole ? file.contents : file.synced)
    }
    return image
  }

  private static func apply(_ change: Change, to names: inout [String: StoredFile]) {
    switch change {
    case .create(let path, let file): names[path] = file
    case .rename(let from, let to):
      if let file = names.removeValue(forKey: from) { names[to] = file }
    case .remove(let path): names[path] = nil
    }
  }

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    try call("open", path)
    if let known = state.withLock({ $0.visible[path] }) { return StoppingFile(known, self, path) }
    let file = StoredFile(try memory.open(path, mode), synced: [])
    note(.create(path, file))
    return StoppingFile(file, self, path)
  }

  func rename(_ from: String, to: String) throws(IOError) {
    try call("rename", from)
    try memory.rename(from, to: to)
    note(.rename(from, to))
  }

  func removeFile(_ path: String) throws(IOError) {
    try call("unlink", path)
    try memory.removeFile(path)
    note(.remove(path))
  }

  func syncDirectory(_ path: String) throws(IOError) {
    try call("fsync", path)
    state.withLock { state in
      for change in state.pending { Self.apply(change, to: &state.durable) }
      state.pending = []
    }
  }

  private func note(_ change: Change) {
    state.withLock { state in
      Self.apply(change, to: &state.visible)
      state.pending.append(change)
    }
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

/// A file, whatever its names are, with what was in it when it was last synced.
final class StoredFile: Sendable {
  let file: any File
  private let lastSynced: Mutex<[UInt8]>

  init(_ file: any File, synced: [UInt8]) {
    self.file = file
    lastSynced = Mutex(synced)
  }

  var synced: [UInt8] { lastSynced.withLock { $0 } }

  var contents: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (try? file.size()).map(Int.init) ?? 0)
    let count = bytes.withUnsafeMutableBytes { (try? file.read(into: $0, at: 0)) ?? 0 }
    return Array(bytes[..<count])
  }

  func noteSynced() {
    let contents = contents
    lastSynced.withLock { $0 = contents }
  }
}

final class StoppingFile: File {
  private let stored: StoredFile
  private let disk: StoppingDisk
  private let path: String

  init(_ stored: StoredFile, _ disk: StoppingDisk, _ path: String) {
    self.stored = stored
    self.disk = disk
    self.path = path
  }

  func size() throws(IOError) -> Int64 { try stored.file.size() }
  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    try stored.file.read(into: buffer, at: position)
  }
  func dropCache() {}
  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try disk.call("pwrite", path)
    try stored.file.write(bytes, at: position)
  }
  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try disk.call("pwrite", path)
    try stored.file.write(head, body, at: position)
  }
  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}
  func truncate(to byteCount: Int64) throws(IOError) {
    try disk.call("ftruncate", path)
    try stored.file.truncate(to: byteCount)
  }
  func sync() throws(IOError) {
    try disk.call("fdatasync", path)
    stored.noteSynced()
  }
}
