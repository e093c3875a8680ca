/// A growing run of bytes that answers are encoded into and sockets are written from.
///
/// One owner at a time; `consume` takes bytes off the front without moving the rest.
package final class OutputBuffer {
  @usableFromInline package var base: UnsafeMutableRawPointer
  @usableFromInline package var capacity: Int
  /// End of the bytes written, as a distance from `base`.
  @usableFromInline package var end: Int
  /// Start of the bytes not yet consumed, as a distance from `base`.
  @usableFromInline package var start: Int

  package init(capacity: Int = 512) {
    precondition(capacity > 0, "an output buffer needs room, not \(capacity) bytes")
    base = .allocate(byteCount: capacity, alignment: 16)
    self.capacity = capacity
    start = 0
    end = 0
  }

  deinit { base.deallocate() }

  @inlinable package var count: Int { end &- start }
  @inlinable package var isEmpty: Bool { end == start }
  @inlinable package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + start, count: end &- start)
  }

  /// Makes room for `byteCount` more bytes behind the end.
  @inlinable package func reserve(_ byteCount: Int) {
    if capacity &- end < byteCount { grow(byteCount) }
  }

  @usableFromInline package func grow(_ byteCount: Int) {
    let wanted = max(end + byteCount, capacity * 2)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    larger.copyMemory(from: base, byteCount: end)
    base.deallocate()
    base = larger
    capacity = wanted
  }

  @inlinable package func append(_ source: UnsafeRawBufferPointer) {
    guard let from = source.baseAddress, source.count > 0 else { return }
    reserve(source.count)
    (base + end).copyMemory(from: from, byteCount: source.count)
    end &+= source.count
  }

  @inlinable package func append(_ source: [UInt8]) {
    source.withUnsafeBytes { append($0) }
  }

  /// Takes `byteCount` bytes off the front; an emptied buffer starts again at its beginning.
  @inlinable package func consume(_ byteCount: Int) {
    precondition(byteCount <= count, "consumed \(byteCount) of \(count) bytes")
    start &+= byteCount
    if start == end { removeAll() }
  }

  /// Moves the bytes not yet consumed to the beginning once that costs less than what was consumed: a buffer that is
  /// never quite empty would else grow for as long as it lives. Distances from `base` are not the same afterwards.
  @inlinable package func reclaim() {
    let left = count
    guard start >= left, start > 0 else { return }
    base.copyMemory(from: base + start, byteCount: left)
    start = 0
    end = left
  }

  @inlinable package func removeAll() {
    start = 0
    end = 0
  }
}
