import Glibc

/// A segment: a `.log` file named for its first offset, and the indexes beside it.
struct SegmentPath {
  let baseOffset: Int64
  /// The path without `.log`.
  let stem: String

  var log: String { stem + ".log" }
  var offsetIndex: String { stem + ".index" }
  var timeIndex: String { stem + ".timeindex" }

  /// nil for a path that is no segment's.
  init?(log path: String) {
    guard path.hasSuffix(".log") else { return nil }
    let stem = String(path.dropLast(4))
    let name = stem.split(separator: "/").last ?? ""
    guard name.count == 20, let offset = Int64(name), offset >= 0 else { return nil }
    self.stem = stem
    baseOffset = offset
  }
}

/// Finds partition folders.
enum LogFolders {
  /// `path` itself where it holds segments or is one, else the partition folders in it, by name; none is an error.
  static func partitions(at path: String) throws(CommandFailure) -> [(folder: String, segments: [SegmentPath])] {
    if let segment = SegmentPath(log: path) { return [(folder(of: path), [segment])] }
    let own = try segments(in: path)
    if !own.isEmpty { return [(path, own)] }
    var found: [(folder: String, segments: [SegmentPath])] = []
    for name in try names(in: path) {
      let folder = "\(path)/\(name)"
      guard isPartitionName(name), isDirectory(folder) else { continue }
      let inside = try segments(in: folder)
      if !inside.isEmpty { found.append((folder, inside)) }
    }
    guard !found.isEmpty else {
      throw CommandFailure("\(path) is neither a partition's folder, nor a data folder with partitions in it")
    }
    return found
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// `<topic>-<partition>`; a folder that is being deleted has another name.
  private static func isPartitionName(_ name: String) -> Bool {
    guard let dash = name.lastIndex(of: "-"), dash > name.startIndex else { return false }
    return Int32(name[name.index(after: dash)...]) != nil
  }

  private static func segments(in folder: String) throws(CommandFailure) -> [SegmentPath] {
    try names(in: folder).compactMap { SegmentPath(log: "\(folder)/\($0)") }.sorted { $0.baseOffset < $1.baseOffset }
  }

  private static func names(in folder: String) throws(CommandFailure) -> [String] {
    guard let stream = opendir(folder) else { throw CommandFailure("\(folder): \(systemReason())") }
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

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
