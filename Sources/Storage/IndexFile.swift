internal import Effects
internal import Primitives

/// One entry of an index: what it is found by, and how it stands in the file.
protocol IndexEntry {
  static var byteCount: Int { get }
  /// What entries are sorted by.
  var key: Int64 { get }
  init(reading bytes: UnsafeRawPointer, baseOffset: Offset)
  func store(into bytes: UnsafeMutableRawPointer, baseOffset: Offset)
}

/// A sorted file of fixed-size entries, written at its end and searched by reading.
///
/// The newest entries wait in memory until there are enough for one write, so an append costs a store. The file is a hint:
/// whoever uses an entry checks it against the log.
final class IndexFile<Entry: IndexEntry> {
  let slot: FileSlot
  let baseOffset: Offset
  /// Entries in the file.
  private var writtenCount: Int
  /// Entries not yet in the file.
  private var tail: [Entry] = []
  private(set) var last: Entry?
  /// Why the waiting entries could not be written when that was last tried; nil when they could.
  private(set) var writeFailure: IOError?
  /// Whether the index is being made anew: it reaches the file whole, at `seal`, or not at all.
  private var isRebuilt = false

  private static var tailCountMax: Int { 256 }
  /// Once this few entries are left to search, they are read at once.
  private static var blockCount: Int { 256 }

  /// An index without entries, over whatever the file holds.
  init(path: String, baseOffset: Offset) {
    slot = FileSlot(path: path)
    self.baseOffset = baseOffset
    writtenCount = 0
  }

  var count: Int { writtenCount + tail.count }

  /// Takes over the entries in the file; false when its size cannot be that of an index.
  func load(_ environment: LogEnvironment) throws(IOError) -> Bool {
    guard environment.fileSystem.exists(slot.path) else { return false }
    let size = try environment.handles.file(slot).size()
    guard size % Int64(Entry.byteCount) == 0 else { return false }
    writtenCount = Int(size / Int64(Entry.byteCount))
    tail.removeAll()
    last = writtenCount == 0 ? nil : try read(at: writtenCount - 1, environment)
    return true
  }

  /// The file, which somebody else wrote, holds `count` entries.
  func adopt(_ count: Int, last: Entry?) {
    writtenCount = count
    self.last = last
  }

  @inline(__always)
  func append(_ entry: Entry, _ environment: LogEnvironment) {
    tail.append(entry)
    last = entry
    if tail.count % Self.tailCountMax == 0, !isRebuilt { writeTail(environment) }
  }

  /// Brings the waiting entries into the file; makes the file when there is none. Where that fails they go on waiting: an
  /// index is a hint, and no append fails for its sake.
  func writeTail(_ environment: LogEnvironment) {
    do throws(IOError) {
      try write(environment)
    } catch {
      writeFailure = error
      guard writtenCount == 0 else { return }
      // Everything is in memory: a part of it in the file would only look like an index.
      environment.handles.close(slot)
      try? environment.fileSystem.removeFile(slot.path)
    }
  }

  private func write(_ environment: LogEnvironment) throws(IOError) {
    let file = try environment.handles.file(slot)
    if writeFailure != nil {
      // What a failed write left behind.
      try file.truncate(to: Int64(writtenCount * Entry.byteCount))
      writeFailure = nil
    }
    guard !tail.isEmpty else { return }
    let bytes = environment.indexScratch.bytes(tail.count * Entry.byteCount)
    guard let base = bytes.baseAddress else { return }
    for (number, entry) in tail.enumerated() {
      entry.store(into: base + number * Entry.byteCount, baseOffset: baseOffset)
    }
    try file.write(UnsafeRawBufferPointer(bytes), at: Int64(writtenCount * Entry.byteCount))
    writtenCount += tail.count
    tail.removeAll(keepingCapacity: true)
  }

  /// The memory of the waiting entries goes, if they could be written; for a segment that takes no more.
  func seal(_ environment: LogEnvironment) {
    isRebuilt = false
    writeTail(environment)
    if tail.isEmpty { tail = [] }
  }

  /// The last entry with a key of at most `key`.
  func floor(_ key: Int64, _ environment: LogEnvironment) throws(IOError) -> Entry? {
    if let last, last.key <= key { return last }
    if let first = tail.first, first.key <= key { return tail[Self.floorPosition(tail.count, key) { tail[$0].key }] }
    return try floorInFile(key, environment)
  }

  /// The first entry with a key of at least `key`. Reads one entry after the other: for the rare case.
  func ceiling(_ key: Int64, _ environment: LogEnvironment) throws(IOError) -> Entry? {
    var low = 0
    var high = writtenCount
    while low < high {
      let middle = low + (high - low) / 2
      if try read(at: middle, environment).key < key { low = middle + 1 } else { high = middle }
    }
    return low < writtenCount ? try read(at: low, environment) : tail.first { $0.key >= key }
  }

  private func floorInFile(_ key: Int64, _ environment: LogEnvironment) throws(IOError) -> Entry? {
    // Invariant: the entry sought, if there is one, is in low..<high.
    var low = 0
    var high = writtenCount
    while high - low > Self.blockCount {
      let middle = low + (high - low) / 2
      if try read(at: middle, environment).key <= key { low = middle } else { high = middle }
    }
    guard high > low else { return nil }
    let bytes = environment.indexScratch.bytes((high - low) * Entry.byteCount)
    let count = try environment.handles.file(slot).read(into: bytes, at: Int64(low * Entry.byteCount))
    guard let base = bytes.baseAddress, count >= Entry.byteCount else { return nil }
    let found = Self.floorPosition(count / Entry.byteCount, key) { position in
      Entry(reading: base + position * Entry.byteCount, baseOffset: baseOffset).key
    }
    return found < 0 ? nil : Entry(reading: base + found * Entry.byteCount, baseOffset: baseOffset)
  }

  /// The position of the last of `count` sorted keys that is at most `key`; -1 when there is none.
  private static func floorPosition(_ count: Int, _ key: Int64, _ keyAt: (Int) -> Int64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if keyAt(middle) <= key { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  private func read(at position: Int, _ environment: LogEnvironment) throws(IOError) -> Entry {
    let bytes = environment.indexScratch.bytes(Entry.byteCount)
    let count = try environment.handles.file(slot).read(into: bytes, at: Int64(position * Entry.byteCount))
    guard let base = bytes.baseAddress, count == Entry.byteCount else {
      throw IOError(operation: "read index entry \(position)", path: slot.path, errno: 0)
    }
    return Entry(reading: base, baseOffset: baseOffset)
  }

  /// Forgets every entry, in the file too, if that can be had now; else when entries are next written. Those that follow
  /// wait in memory for `seal`.
  func removeAll(_ environment: LogEnvironment) {
    tail.removeAll()
    writtenCount = 0
    last = nil
    isRebuilt = true
    do throws(IOError) {
      try environment.handles.file(slot).truncate(to: 0)
      writeFailure = nil
    } catch { writeFailure = error }
  }

  /// Forgets the entries that `isKept` refuses; it is true for a first part of them and false for the rest.
  func keepFirst(_ environment: LogEnvironment, where isKept: (Entry) -> Bool) throws(IOError) {
    while let entry = tail.last, !isKept(entry) { tail.removeLast() }
    last = tail.last
    guard tail.isEmpty else { return }
    var kept = 0
    var high = writtenCount
    while kept < high {
      let middle = kept + (high - kept) / 2
      if isKept(try read(at: middle, environment)) { kept = middle + 1 } else { high = middle }
    }
    if kept < writtenCount {
      writtenCount = kept
      try environment.handles.file(slot).truncate(to: Int64(kept * Entry.byteCount))
    }
    last = kept == 0 ? nil : try read(at: kept - 1, environment)
  }
}
