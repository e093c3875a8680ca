/// The bytes of one file twice: as reads see them, in the cache, and as they are on the disk.
struct FileContents {
  private(set) var cached: [UInt8] = []
  private(set) var durable: [UInt8] = []
  /// Pages of the cache that are to be brought to the disk.
  private var dirtyPages: Set<Int> = []
  /// The smallest size since the size on the disk was last brought up to date; nil when it is.
  private var lowestSize: Int?
  /// Pages that reached the disk before the size did.
  private var pagesAheadOfSize: Set<Int> = []
  private let pageByteCount: Int

  init(pageByteCount: Int) { self.pageByteCount = pageByteCount }

  var isDirty: Bool { !dirtyPages.isEmpty || lowestSize != nil }

  /// Whether the disk has the first `byteCount` bytes as reads see them.
  func isOnDisk(_ byteCount: Int) -> Bool {
    let end = min(byteCount, cached.count)
    return durable.count >= end && cached[..<end] == durable[..<end]
  }

  // MARK: what processes do

  mutating func write(_ bytes: UnsafeRawBufferPointer, at position: Int) {
    guard !bytes.isEmpty else { return }
    let end = position + bytes.count
    if cached.count < end { resize(to: end) }
    cached.withUnsafeMutableBytes {
      UnsafeMutableRawBufferPointer(rebasing: $0[position..<end]).copyMemory(from: bytes)
    }
    markDirty(position..<end)
  }

  mutating func resize(to size: Int) {
    guard size != cached.count else { return }
    lowestSize = min(lowestSize ?? min(size, cached.count), size)
    if size < cached.count {
      cached.removeLast(cached.count - size)
      dirtyPages = dirtyPages.filter { $0 * pageByteCount < size }
      pagesAheadOfSize = pagesAheadOfSize.filter { $0 * pageByteCount < size }
      // The kernel clears the rest of the page that the file now ends in.
      if size % pageByteCount != 0 { dirtyPages.insert(size / pageByteCount) }
    } else {
      let before = cached.count
      cached.append(contentsOf: repeatElement(0, count: size - before))
      markDirty(before..<size)
    }
  }

  private mutating func markDirty(_ range: Range<Int>) {
    for page in (range.lowerBound / pageByteCount)...((range.upperBound - 1) / pageByteCount) {
      dirtyPages.insert(page)
    }
  }

  // MARK: what the kernel does

  /// Everything dirty reaches the disk.
  mutating func sync() {
    writeBackSize()
    for page in dirtyPages { writeBack(page) }
    dirtyPages.removeAll()
  }

  /// A sync fails: what was to be written counts as written.
  mutating func dropDirtyPages() { dirtyPages.removeAll() }

  /// Cached pages that are not dirty go: reads see the disk there.
  mutating func dropCache() {
    for page in 0..<((cached.count + pageByteCount - 1) / pageByteCount) where !dirtyPages.contains(page) {
      // What was cut off is gone for whoever runs now, whether or not the disk has heard of it.
      let end = pagesAheadOfSize.contains(page) ? durable.count : min(lowestSize ?? durable.count, durable.count)
      for place in (page * pageByteCount)..<min((page + 1) * pageByteCount, cached.count) {
        cached[place] = place < end ? durable[place] : 0
      }
    }
  }

  /// The size reaches the disk, and with it that the file was shorter meanwhile.
  private mutating func writeBackSize() {
    guard let lowest = lowestSize else { return }
    for place in min(lowest, durable.count)..<durable.count where !pagesAheadOfSize.contains(place / pageByteCount) {
      durable[place] = 0
    }
    if durable.count > cached.count { durable.removeLast(durable.count - cached.count) }
    if durable.count < cached.count {
      durable.append(contentsOf: repeatElement(0, count: cached.count - durable.count))
    }
    lowestSize = nil
    pagesAheadOfSize = []
  }

  private mutating func writeBack(_ page: Int) {
    let start = page * pageByteCount
    let end = min(start + pageByteCount, cached.count)
    guard start < end else { return }
    if durable.count < end { durable.append(contentsOf: repeatElement(0, count: end - durable.count)) }
    durable.replaceSubrange(start..<end, with: cached[start..<end])
    if lowestSize != nil { pagesAheadOfSize.insert(page) }
  }

  /// The kernel has written some of what is dirty by itself: `data` says how much.
  mutating func writeBackSome(_ data: UnsyncedFate, _ random: inout DiskRandom) {
    switch data {
    case .lost: return
    case .kept: sync()
    case .mixed:
      if random.coin() { writeBackSize() }
      let pages = dirtyPages.sorted()
      // The first few, or any.
      let prefix = random.coin() ? random.below(pages.count + 1) : pages.count
      let any = prefix == pages.count && random.coin()
      for page in pages.prefix(prefix) where !any || random.coin() {
        writeBack(page)
        dirtyPages.remove(page)
      }
    }
  }

  /// The file as a machine finds it that starts anew: what is on the disk.
  func asOnDisk() -> FileContents {
    var contents = FileContents(pageByteCount: pageByteCount)
    contents.cached = durable
    contents.durable = durable
    return contents
  }

  // MARK: what time does

  /// One bit changes, in the cache and on the disk. Nothing where the file has no such byte.
  mutating func flipBit(_ bit: Int, ofByte place: Int) {
    if place < cached.count { cached[place] ^= 1 << UInt8(bit & 7) }
    if place < durable.count { durable[place] ^= 1 << UInt8(bit & 7) }
  }
}
