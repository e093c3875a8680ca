import Effects
import Glibc

/// The real disk, as far as the tests need it.
final class PosixFileSystem: FileSystem {
  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    let flags = mode == .read ? O_RDONLY : O_RDWR | O_CREAT
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw IOError(operation: "open", path: path, errno: errno) }
    return PosixFile(descriptor, path)
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  func list(_ directory: String) throws(IOError) -> [String] {
    guard let stream = opendir(directory) else { throw IOError(operation: "opendir", path: directory, errno: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  func createDirectory(_ path: String) throws(IOError) {
    var name = ""
    for piece in path.split(separator: "/", omittingEmptySubsequences: false) {
      name += (name.isEmpty && !path.hasPrefix("/") ? "" : name.isEmpty && piece.isEmpty ? "" : "/") + piece
      if !name.isEmpty, !isDirectory(name), mkdir(name, 0o750) != 0 {
        throw IOError(operation: "mkdir", path: name, errno: errno)
      }
    }
  }

  func rename(_ from: String, to: String) throws(IOError) {
    if Glibc.rename(from, to) != 0 { throw IOError(operation: "rename", path: from, errno: errno) }
  }

  func removeFile(_ path: String) throws(IOError) {
    if unlink(path) != 0 { throw IOError(operation: "unlink", path: path, errno: errno) }
  }

  func removeDirectory(_ path: String) throws(IOError) {
    for name in try list(path) {
      let inner = path + "/" + name
      if isDirectory(inner) { try removeDirectory(inner) } else { try removeFile(inner) }
    }
    if rmdir(path) != 0 { throw IOError(operation: "rmdir", path: path, errno: errno) }
  }

  func syncDirectory(_ path: String) throws(IOError) {}
  func syncAll(holding path: String) throws(IOError) {}
  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) { (1 << 40, 1 << 40) }

  /// A fresh folder under the temporary one; the caller removes it.
  static func temporaryDirectory() -> String {
    var template = Array("/tmp/ottla-storage-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return "/tmp" }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

final class PosixFile: File {
  private let descriptor: Int32
  private let path: String

  init(_ descriptor: Int32, _ path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { Glibc.close(descriptor) }

  func size() throws(IOError) -> Int64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw IOError(operation: "fstat", path: path, errno: errno) }
    return Int64(status.st_size)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(IOError) -> Int {
    let count = pread(descriptor, buffer.baseAddress, buffer.count, Int(position))
    guard count >= 0 else { throw IOError(operation: "pread", path: path, errno: errno) }
    return count
  }

  func isCached(_ byteCount: Int, at position: Int64) -> Bool { true }
  func dropCache() {}
  func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    let count = pwrite(descriptor, bytes.baseAddress, bytes.count, Int(position))
    guard count == bytes.count else { throw IOError(operation: "pwrite", path: path, errno: errno) }
  }

  func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int64) throws(IOError) {
    try write(head, at: position)
    try write(body, at: position + Int64(head.count))
  }

  func preallocate(_ byteCount: Int64, at position: Int64) throws(IOError) {}

  func truncate(to byteCount: Int64) throws(IOError) {
    guard ftruncate(descriptor, Int(byteCount)) == 0 else {
      throw IOError(operation: "ftruncate", path: path, errno: errno)
    }
  }

  func sync() throws(IOError) {
    guard fdatasync(descriptor) == 0 else { throw IOError(operation: "fdatasync", path: path, errno: errno) }
  }
}
