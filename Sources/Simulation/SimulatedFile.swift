package import Effects

/// An open file of a `SimulatedDisk`. It stays what it is when its name goes.
package final class SimulatedFile: File {
  private let disk: SimulatedDisk
  private let number: Int
  private let path: String

  init(disk: SimulatedDisk, number: Int, path: String) {
    self.disk = disk
    self.number = number
    self.path = path
  }

  package func size() throws(IOError) -> Int64 {
    try disk.perform(.size, path) { state in Int64(state.files[number].cached.count) }
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    // The lock lets no pointer in: the bytes come out first.
    let bytes: ArraySlice<UInt8> = try disk.perform(.read, path) { state in
      let cached = state.files[number].cached
      let start = min(max(Int(position), 0), cached.count)
      return cached[start..<min(start + buffer.count, cached.count)]
    }
    buffer.copyBytes(from: bytes)
    return bytes.count
  }

  package func isCached(_ byteCount: Int, at position: Int64) -> Bool { disk.isCacheWarm }

  package func dropCache() { disk.dropCache(of: number) }

  package func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try disk.write(Array(bytes), to: number, at: Int(position), path)
  }

  package func write(
    _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64
  ) throws(IOError) {
    try disk.write(Array(head) + Array(body), to: number, at: Int(position), path)
  }

  package func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {
    try disk.perform(.preallocate, path) { _ in }
  }

  package func truncate(to byteCount: Int64) throws(IOError) {
    try disk.perform(.truncate, path) { state in state.files[number].resize(to: Int(byteCount)) }
  }

  package func sync() throws(IOError) { try disk.sync(number, path) }
}
