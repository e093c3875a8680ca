package import Effects

/// The place of one file that may be open or not: its path, and its handle while it has one.
final class FileSlot {
  var path: String
  fileprivate var file: (any File)?
  /// Used since the hand of the cache last passed.
  fileprivate var wasUsed = false
  /// Where the cache keeps this slot while it is open.
  fileprivate var place = -1

  init(path: String) { self.path = path }
}

/// The open files of one shard's logs, at most `openFilesMax`: 10,000 partitions are 30,000 files.
///
/// Which to close is chosen as a clock does (a second chance for what was used since the hand last passed), which is
/// near to least recently used and costs the hot path one store. A closed file that an answer still sends from stays
/// open until that answer is gone.
package final class FileHandleCache {
  package let fileSystem: any FileSystem
  package let openFilesMax: Int
  private var slots: [FileSlot] = []
  private var hand = 0

  package init(fileSystem: any FileSystem, openFilesMax: Int) {
    precondition(openFilesMax > 0, "a cache of \(openFilesMax) open files")
    self.fileSystem = fileSystem
    self.openFilesMax = openFilesMax
  }

  /// How many files are open.
  package var openFiles: Int { slots.count }

  /// The open file of `slot`; opened, and made when missing, where it is not.
  @inline(__always)
  func file(_ slot: FileSlot) throws(IOError) -> any File {
    slot.wasUsed = true
    if let file = slot.file { return file }
    return try open(slot)
  }

  private func open(_ slot: FileSlot) throws(IOError) -> any File {
    let file = try fileSystem.open(slot.path, .readWrite)
    adopt(file, for: slot)
    return file
  }

  /// Takes a file that is open already for that of `slot`, which has none.
  func adopt(_ file: any File, for slot: FileSlot) {
    if slots.count >= openFilesMax { evictOne() }
    slot.file = file
    slot.place = slots.count
    slots.append(slot)
  }

  private func evictOne() {
    while true {
      if hand >= slots.count { hand = 0 }
      let candidate = slots[hand]
      if !candidate.wasUsed { return close(candidate) }
      candidate.wasUsed = false
      hand += 1
    }
  }

  /// Lets go of the handle of `slot`.
  func close(_ slot: FileSlot) {
    guard slot.place >= 0 else { return }
    let last = slots.removeLast()
    if last !== slot {
      slots[slot.place] = last
      last.place = slot.place
    }
    slot.place = -1
    slot.file = nil
  }
}
