package import Effects

/// A file read through a window of memory, mostly from front to back. Never written to.
package final class FileWindow {
  package let path: String
  /// Bytes when it was opened: what is appended later is not seen.
  package let byteCount: Int64
  private let file: any File
  private var window: UnsafeMutableRawBufferPointer
  private var start: Int64 = 0
  private var count = 0

  private static let windowByteCount = 1 << 20

  /// Throws what opening the file threw.
  package init(_ path: String, fileSystem: any FileSystem) throws(IOError) {
    self.path = path
    file = try fileSystem.open(path, .read)
    byteCount = try file.size()
    window = .allocate(byteCount: Self.windowByteCount, alignment: 16)
  }

  deinit { window.deallocate() }

  /// `wanted` bytes from `position`, good until the next call; nil where the file has fewer.
  package func bytes(at position: Int64, count wanted: Int) throws(IOError) -> UnsafeRawBufferPointer? {
    guard position >= 0, wanted >= 0, Int64(wanted) <= byteCount - position else { return nil }
    if position < start || position + Int64(wanted) > start + Int64(count) { try fill(from: position, wanted) }
    let distance = Int(position - start)
    guard distance + wanted <= count else { return nil }
    return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(window)[distance..<distance + wanted])
  }

  private func fill(from position: Int64, _ wanted: Int) throws(IOError) {
    if window.count < wanted || (window.count > 16 * Self.windowByteCount && wanted <= Self.windowByteCount) {
      window.deallocate()
      window = .allocate(byteCount: max(wanted, Self.windowByteCount), alignment: 16)
    }
    start = position
    count = 0
    count = try file.read(into: window, at: position)
  }
}
