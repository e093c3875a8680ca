internal import Effects
internal import Synchronization

/// A disk in memory that forgets, tears, fills up, rots and fails as real ones do, and does so again for the same seed.
///
/// What is written is in the cache, where every process sees it, until a sync brings it to the disk; a name is on the disk
/// once its folder was synced. `afterPowerCut` gives the disk as a machine finds it that starts anew. A process that is
/// killed leaves everything as it is.
package final class SimulatedDisk: Sendable {
  struct State {
    var files: [FileContents] = []
    var tree = FolderTree()
    var faults = DiskFaults()
    var capacity: Int64?
    /// Chooses what is written back at once; nil where nothing is.
    var eager: DiskRandom?

    /// Bytes of all files that have a name.
    var usedBytes: Int64 { tree.namedFiles.reduce(0) { $0 + Int64(files[$1].cached.count) } }
  }

  private let state: Mutex<State>
  /// What is written or lost as one piece: 4096, or 512 as old disks do.
  package let pageByteCount: Int
  /// What files answer to `isCached`; false lets every read of older batches go the way of cold ones.
  package let isCacheWarm: Bool

  /// An empty disk with `folders`, that are there for good.
  package convenience init(folders: [String] = [], pageByteCount: Int = 4096, isCacheWarm: Bool = true) {
    var state = State()
    for folder in folders { _ = state.tree.createFolders(folder) }
    state.tree.syncAll()
    self.init(state, pageByteCount: pageByteCount, isCacheWarm: isCacheWarm)
  }

  private init(_ state: sending State, pageByteCount: Int, isCacheWarm: Bool) {
    precondition(pageByteCount > 0, "pages of \(pageByteCount) bytes")
    self.state = Mutex(state)
    self.pageByteCount = pageByteCount
    self.isCacheWarm = isCacheWarm
  }

  // MARK: failing

  /// The `number`-th call from now on (1 is the next) fails with `errno` (5 is EIO, 28 ENOSPC) and `effect`; with
  /// `isLasting` all behind it too. Only `calls`, on paths that contain `pathPart`, are counted.
  package func fail(
    call number: Int, errno: Int32 = 5, effect: DiskFault.Effect = .none, isLasting: Bool = false,
    calls: Set<DiskCall> = Set(DiskCall.allCases), pathPart: String = ""
  ) {
    let fault = DiskFault(
      number: number, errno: errno, effect: effect, isLasting: isLasting, calls: calls, pathPart: pathPart)
    state.withLock { $0.faults.add(fault) }
  }

  /// No call fails any more but for want of room.
  package func heal() { state.withLock { $0.faults.removeAll() } }

  /// The calls that a fault made fail, as `write of <path>`, in order.
  package var failedCalls: [String] { state.withLock { $0.faults.failed } }

  /// How many calls of a kind there were, those that failed among them.
  package func count(of call: DiskCall) -> Int { state.withLock { $0.faults.counts[call] ?? 0 } }

  /// How many calls of all kinds there were.
  package var callCount: Int { state.withLock { $0.faults.counts.values.reduce(0, +) } }

  /// How many bytes all files together may have; nil for any. A write that finds too little room writes what it can, and
  /// fails with ENOSPC.
  package var capacity: Int64? {
    get { state.withLock { $0.capacity } }
    set { state.withLock { $0.capacity = newValue } }
  }

  /// Bytes of all files that have a name.
  package var usedBytes: Int64 { state.withLock { $0.usedBytes } }

  // MARK: losing

  /// The disk as it is found after a power cut now, without faults and open files: of what was not synced, `data` and
  /// `names` say what stays, and `seed` chooses where there is a choice. This disk stays as it was.
  package func afterPowerCut(data: UnsyncedFate, names: UnsyncedFate, seed: UInt64 = 0) -> SimulatedDisk {
    var random = DiskRandom(seed: seed)
    let (files, tree, capacity) = state.withLock { state in (state.files, state.tree, state.capacity) }
    var left = State()
    left.files = files.map { file in
      var file = file
      let fate: UnsyncedFate = data == .mixed ? [.lost, .kept, .mixed, .mixed][random.below(4)] : data
      file.writeBackSome(fate, &random)
      return file.asOnDisk()
    }
    var names = (tree, names)
    names.0.writeBackSome(names.1, &random)
    left.tree = names.0.asOnDisk()
    left.capacity = capacity
    return SimulatedDisk(left, pageByteCount: pageByteCount, isCacheWarm: isCacheWarm)
  }

  /// The kernel brings some of what is dirty to the disk by itself, as it does all the time; names too.
  package func writeBack(seed: UInt64) {
    state.withLock { state in
      var random = DiskRandom(seed: seed)
      for number in state.files.indices where state.files[number].isDirty {
        state.files[number].writeBackSome(.mixed, &random)
      }
      state.tree.writeBackSome(.mixed, &random)
    }
  }

  /// From now on the kernel writes some of a file back after every write to it, as it does when memory is short: what is cut
  /// off a moment later may have been on the disk.
  package func writeBackEagerly(seed: UInt64) { state.withLock { $0.eager = DiskRandom(seed: seed) } }

  /// Changes one bit of a file, in the cache and on the disk. Nothing where there is no such file or byte.
  package func flipBit(_ bit: Int, ofByte place: Int, in path: String) {
    state.withLock { state in
      guard case .file(let number) = state.tree.entry(path) else { return }
      state.files[number].flipBit(bit, ofByte: place)
    }
  }

  /// The bytes of a file as processes see them; nil where there is none.
  package func contents(_ path: String) -> [UInt8]? {
    state.withLock { state in
      guard case .file(let number) = state.tree.entry(path) else { return nil }
      return state.files[number].cached
    }
  }

  /// Makes a file of these bytes, or of an old one: they have always been there, in the cache and on the disk, and the names
  /// in its folder are on the disk with it. Not a call that can fail.
  package func setContents(_ path: String, _ bytes: [UInt8]) {
    state.withLock { state in
      var contents = FileContents(pageByteCount: pageByteCount)
      bytes.withUnsafeBytes { contents.write($0, at: 0) }
      contents.sync()
      if case .file(let number) = state.tree.entry(path) {
        state.files[number] = contents
        return
      }
      if let slash = path.lastIndex(of: "/") { _ = state.tree.createFolders(String(path[..<slash])) }
      guard state.tree.entry(path) == nil, let place = state.tree.place(of: path) else {
        preconditionFailure("a folder, or something below a file: \(path)")
      }
      state.files.append(contents)
      state.tree.change(.init(folder: place.folder, name: place.name, entry: .file(state.files.count - 1)))
      state.tree.sync(place.folder)
    }
  }

  /// Another disk that looks like this one to processes. All of it is on the disk, and nothing fails.
  package func copy() -> SimulatedDisk { afterPowerCut(data: .kept, names: .kept) }

  /// The names in a folder, in their order; none where there is no such folder. Not a call that can fail.
  package func names(in directory: String) -> [String] {
    look { tree in tree.folder(directory).map { tree.folders[$0].names.keys.sorted() } ?? [] }
  }

  /// Whether the disk has a file as processes see it, up to `byteCount`; true where there is none.
  package func isOnDisk(_ path: String, byteCount: Int) -> Bool {
    state.withLock { state in
      guard case .file(let number) = state.tree.entry(path) else { return true }
      return state.files[number].isOnDisk(byteCount)
    }
  }

  // MARK: for files and folders

  /// Looks at names: not a call that can fail.
  func look<Result: Sendable>(_ body: (FolderTree) -> Result) -> Result { state.withLock { body($0.tree) } }

  /// Counts a call and does it, unless it is to fail.
  func perform<Result: Sendable>(
    _ call: DiskCall, _ path: String, _ body: (inout State) throws(IOError) -> Result
  ) throws(IOError) -> Result {
    try state.withLock { state throws(IOError) in
      if let fault = state.faults.begin(call, path) {
        throw IOError(operation: call.rawValue, path: path, errno: fault.errno)
      }
      return try body(&state)
    }
  }

  func write(_ bytes: [UInt8], to number: Int, at position: Int, _ path: String) throws(IOError) {
    try state.withLock { state throws(IOError) in
      let fault = state.faults.begin(.write, path)
      var count = bytes.count
      var errno = fault?.errno
      if let fault { count = fault.effect.writtenCount(of: bytes.count) }
      if let capacity = state.capacity {
        let growth = max(0, position + count - state.files[number].cached.count)
        let missing = Int(Int64(growth) - max(0, capacity - state.usedBytes))
        if growth > 0, missing > 0 {
          count = max(0, count - missing)
          errno = errno ?? 28
        }
      }
      bytes.withUnsafeBytes { state.files[number].write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: position) }
      if var eager = state.eager {
        state.files[number].writeBackSome(.mixed, &eager)
        state.eager = eager
      }
      if let errno { throw IOError(operation: "write", path: path, errno: errno) }
    }
  }

  func sync(_ number: Int, _ path: String) throws(IOError) {
    try state.withLock { state throws(IOError) in
      guard let fault = state.faults.begin(.sync, path) else { return state.files[number].sync() }
      if fault.effect == .dropsDirtyPages { state.files[number].dropDirtyPages() }
      throw IOError(operation: "sync", path: path, errno: fault.errno)
    }
  }

  func dropCache(of number: Int) { state.withLock { $0.files[number].dropCache() } }
}
