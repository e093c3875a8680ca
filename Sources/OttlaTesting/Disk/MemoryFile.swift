internal import Effects
internal import Synchronization

/// A file of a `MemoryDisk`.
final class MemoryFile: File {
  private let contents = Mutex(MemoryBytes())

  var byteCount: Int64 { contents.withLock { Int64($0.count) } }

  func size() throws(IOError) -> Int64 { byteCount }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    // As a number: a lock lets no pointer in.
    let address = Int(bitPattern: buffer.baseAddress)
    let count = buffer.count
    return contents.withLock { $0.read(count, at: Int(clamping: position), into: address) }
  }

  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }

  /// There is nothing behind the memory that could be read instead.
  func dropCache() {}

  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let address = Int(bitPattern: bytes.baseAddress)
    let count = bytes.count
    contents.withLock { $0.write(count, from: address, at: Int(clamping: position)) }
  }

  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let addresses = (Int(bitPattern: head.baseAddress), Int(bitPattern: body.baseAddress))
    let counts = (head.count, body.count)
    contents.withLock { bytes in
      bytes.write(counts.0, from: addresses.0, at: Int(clamping: position))
      bytes.write(counts.1, from: addresses.1, at: Int(clamping: position) + counts.0)
    }
  }

  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}

  func truncate(to byteCount: Int64) throws(IOError) {
    contents.withLock { $0.resize(to: Int(clamping: byteCount)) }
  }

  func sync() throws(IOError) {}
}

/// Bytes that grow. Behind the end there are zeros, so that growing shows nothing that was cut off before.
private struct MemoryBytes: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { base?.deallocate() }

  /// Copies up to `length` bytes to an address; returns how many there were.
  func read(_ length: Int, at position: Int, into address: Int) -> Int {
    let available = min(length, count - position)
    guard position >= 0, available > 0, let base, let target = UnsafeMutableRawPointer(bitPattern: address) else {
      return 0
    }
    target.copyMemory(from: base + position, byteCount: available)
    return available
  }

  mutating func write(_ length: Int, from address: Int, at position: Int) {
    precondition(position >= 0, "a write at \(position)")
    guard length > 0, let source = UnsafeRawPointer(bitPattern: address) else { return }
    reserve(position + length)
    base?.advanced(by: position).copyMemory(from: source, byteCount: length)
    count = max(count, position + length)
  }

  mutating func resize(to size: Int) {
    precondition(size >= 0, "a size of \(size)")
    reserve(size)
    if size < count, let base { (base + size).initializeMemory(as: UInt8.self, repeating: 0, count: count - size) }
    count = size
  }

  private mutating func reserve(_ size: Int) {
    guard size > capacity else { return }
    let larger = max(4096, size, 2 * capacity)
    let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    if let base {
      grown.copyMemory(from: base, byteCount: count)
      base.deallocate()
    }
    (grown + count).initializeMemory(as: UInt8.self, repeating: 0, count: larger - count)
    base = grown
    capacity = larger
  }
}
