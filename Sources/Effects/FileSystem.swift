/// A file operation that the machine refused.
package struct IOError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, such as `pwrite`.
  package let operation: String
  package let path: String
  package let errno: Int32
  package init(operation: String, path: String, errno: Int32) {
    self.operation = operation
    self.path = path
    self.errno = errno
  }
  package var description: String {
    guard let words = Self.words[errno] else { return "\(operation) of \(path) failed with errno \(errno)" }
    return "\(operation) of \(path) failed: \(words) (errno \(errno))"
  }

  /// Linux's numbers of what may well happen.
  private static let words: [Int32: String] = [
    1: "not permitted", 2: "no such file or folder", 5: "input/output error, the disk may be failing",
    13: "permission denied", 17: "there is one already", 20: "a file is where a folder should be",
    21: "a folder is where a file should be", 23: "too many open files in the system", 24: "too many open files",
    27: "the file would be too large", 28: "no space left", 30: "the file system is read-only",
    36: "the name is too long",
    39: "the folder is not empty", 40: "too many symbolic links", 122: "the disk quota is used up",
  ]
}

/// How a file is opened.
package enum OpenMode: Sendable {
  case read
  /// Read and write; made when it is not there.
  case readWrite
}

/// An open file. Any thread may read at a position; writes have one owner.
///
/// The descriptor is closed when the last reference goes: an answer in flight keeps the file it sends from.
package protocol File: AnyObject, Sendable {
  /// Present size in bytes, preallocated space beyond the end not counted.
  func size() throws(IOError) -> Int64
  /// Reads up to `buffer.count` bytes at `position`; fewer only at the end of the file. Returns how many.
  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int
  /// From now on nothing is to be read but what is asked for: what the kernel reads ahead, others wait behind.
  func readNothingAhead()
  /// Whether reading these bytes would find them in memory, as far as samples tell: a read of others waits for the disk.
  func isCached(_ byteCount: Int, at position: Int64) -> Bool
  /// Lets go of what memory holds of the file, but for what is still to be written: reads then see what the disk has. After
  /// a failed sync memory may hold what is not there. Best effort.
  func dropCache()
  /// Writes all of `bytes` at `position`.
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError)
  /// Writes `head` and then `body`, as one run of bytes at `position`.
  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError)
  /// Reserves disk blocks for `byteCount` bytes from `position`, the size unchanged. Best effort where the file system cannot.
  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError)
  /// Cuts (or extends with zeros) to `byteCount` bytes; gives back preallocated blocks behind them.
  func truncate(to byteCount: Int64) throws(IOError)
  /// Brings data, and the size, to the disk. Never tried again after it failed.
  func sync() throws(IOError)
}

/// A part of an open file: what a fetch answers with, sent without copying.
package struct FileRange: Sendable {
  package let file: any File
  package let position: Int64
  package let byteCount: Int
  package init(file: any File, position: Int64, byteCount: Int) {
    self.file = file
    self.position = position
    self.byteCount = byteCount
  }
}

/// Folders and names. Paths are absolute or relative to the process, with `/`.
package protocol FileSystem: AnyObject, Sendable {
  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File
  func exists(_ path: String) -> Bool
  /// Names in a folder, without `.` and `..`, sorted.
  func list(_ directory: String) throws(IOError) -> [String]
  func isDirectory(_ path: String) -> Bool
  /// Makes a folder and those above it that are missing.
  func createDirectory(_ path: String) throws(IOError)
  /// Renames, over what has that name now.
  func rename(_ from: String, to: String) throws(IOError)
  func removeFile(_ path: String) throws(IOError)
  /// Removes a folder with everything in it.
  func removeDirectory(_ path: String) throws(IOError)
  /// Brings the names in a folder to the disk.
  func syncDirectory(_ path: String) throws(IOError)
  /// Brings everything of the file system that holds `path` to the disk: one call for thousands of files. Never tried
  /// again after it failed.
  func syncAll(holding path: String) throws(IOError)
  /// Bytes of the file system that holds `path`: all, and usable by us.
  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64)
}

extension FileSystem {
  /// The whole file, at most `byteCountMax` bytes.
  package func readAll(_ path: String, byteCountMax: Int = 64 << 20) throws(IOError) -> [UInt8] {
    let file = try open(path, .read)
    let size = min(Int(try file.size()), byteCountMax)
    var bytes = [UInt8](repeating: 0, count: size)
    var failure: IOError?
    var count = 0
    bytes.withUnsafeMutableBytes { buffer in
      do throws(IOError) { count = try file.read(into: buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    bytes.removeLast(size - count)
    return bytes
  }

  /// Replaces a small file whole: a temporary beside it, synced, renamed over it, the folder synced.
  package func replace(_ path: String, with bytes: [UInt8]) throws(IOError) {
    let temporary = path + ".tmp"
    let file = try open(temporary, .readWrite)
    try file.truncate(to: 0)
    var failure: IOError?
    bytes.withUnsafeBytes { buffer in
      do throws(IOError) { try file.write(buffer, at: 0) } catch { failure = error }
    }
    if let failure { throw failure }
    try file.sync()
    try rename(temporary, to: path)
    let slash = path.lastIndex(of: "/")
    try syncDirectory(slash.map { String(path[..<$0]) } ?? ".")
  }
}

extension File {
  /// Where nothing is read ahead there is nothing to do.
  package func readNothingAhead() {}
}
