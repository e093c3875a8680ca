internal import Effects
internal import Synchronization

/// Files and folders in memory: of one embedded broker, gone with it.
///
/// What is written is there for whoever opens the file next, also after a broker was killed: it is the machine's page cache
/// that a killed process leaves behind. A file whose name and last user are gone gives its memory back.
final class MemoryDisk: FileSystem {
  fileprivate struct Tree {
    var files: [String: MemoryFile] = [:]
    var folders: Set<String> = ["", "/"]
  }

  private let tree = Mutex(Tree())

  fileprivate static let noSuchFile: Int32 = 2
  fileprivate static let isThereAlready: Int32 = 17
  fileprivate static let isNoDirectory: Int32 = 20
  fileprivate static let isADirectory: Int32 = 21

  /// Bytes of all files that have a name.
  var usedBytes: Int64 { tree.withLock { Array($0.files.values) }.reduce(0) { $0 + $1.byteCount } }

  func open(_ path: String, _ mode: OpenMode) throws(IOError) -> any File {
    try tree.withLock { tree throws(IOError) in
      if let file = tree.files[path] { return file }
      if tree.folders.contains(path) { throw IOError(operation: "open", path: path, errno: Self.isADirectory) }
      guard mode == .readWrite, tree.folders.contains(Self.parent(of: path)) else {
        throw IOError(operation: "open", path: path, errno: Self.noSuchFile)
      }
      let file = MemoryFile()
      tree.files[path] = file
      return file
    }
  }

  func exists(_ path: String) -> Bool { tree.withLock { $0.files[path] != nil || $0.folders.contains(path) } }

  func isDirectory(_ path: String) -> Bool { tree.withLock { $0.folders.contains(path) } }

  func list(_ directory: String) throws(IOError) -> [String] {
    try tree.withLock { tree throws(IOError) in
      try tree.check(directory, "opendir")
      let start = directory + "/"
      let inside = (Array(tree.files.keys) + Array(tree.folders)).filter {
        $0.count > start.count && $0.hasPrefix(start)
      }
      return inside.map { String($0.dropFirst(start.count)) }.filter { !$0.contains("/") }.sorted()
    }
  }

  func createDirectory(_ path: String) throws(IOError) {
    try tree.withLock { tree throws(IOError) in
      var folder = path
      while !tree.folders.contains(folder) {
        if tree.files[folder] != nil { throw IOError(operation: "mkdir", path: folder, errno: Self.isThereAlready) }
        tree.folders.insert(folder)
        folder = Self.parent(of: folder)
      }
    }
  }

  func rename(_ from: String, to: String) throws(IOError) {
    try tree.withLock { tree throws(IOError) in
      if let file = tree.files.removeValue(forKey: from) {
        tree.files[to] = file
        return
      }
      guard tree.folders.contains(from) else {
        throw IOError(operation: "rename", path: from, errno: Self.noSuchFile)
      }
      let start = from + "/"
      for folder in tree.folders.filter({ $0 == from || $0.hasPrefix(start) }) {
        tree.folders.remove(folder)
        tree.folders.insert(to + folder.dropFirst(from.count))
      }
      for path in tree.files.keys.filter({ $0.hasPrefix(start) }) {
        tree.files[to + path.dropFirst(from.count)] = tree.files.removeValue(forKey: path)
      }
    }
  }

  func removeFile(_ path: String) throws(IOError) {
    let removed = tree.withLock { $0.files.removeValue(forKey: path) }
    if removed == nil { throw IOError(operation: "unlink", path: path, errno: Self.noSuchFile) }
  }

  func removeDirectory(_ path: String) throws(IOError) {
    try tree.withLock { tree throws(IOError) in
      try tree.check(path, "rmdir")
      let start = path + "/"
      for file in tree.files.keys.filter({ $0.hasPrefix(start) }) { tree.files[file] = nil }
      tree.folders = tree.folders.filter { $0 != path && !$0.hasPrefix(start) }
    }
  }

  func syncDirectory(_ path: String) throws(IOError) {}
  func syncAll(holding path: String) throws(IOError) {}

  func space(at path: String) throws(IOError) -> (totalBytes: Int64, usableBytes: Int64) {
    (Self.totalBytes, max(0, Self.totalBytes - usedBytes))
  }

  /// What the disk says that it holds; nothing ends there.
  fileprivate static let totalBytes: Int64 = 1 << 40

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }
}

extension MemoryDisk.Tree {
  fileprivate func check(_ folder: String, _ operation: String) throws(IOError) {
    guard !folders.contains(folder) else { return }
    let isFile = files[folder] != nil
    throw IOError(
      operation: operation, path: folder, errno: isFile ? MemoryDisk.isNoDirectory : MemoryDisk.noSuchFile)
  }
}
