import Effects
import Glibc
import Primitives
import Storage

/// Finds what a command about a broker's files is to look at.
enum LogFolders {
  /// What `path` is; words that say so where it is nothing of a broker's.
  static func kind(
    of path: String, _ fileSystem: any FileSystem
  ) throws(UsageError) -> DataFolderInspection.Kind {
    guard fileSystem.exists(path) else { throw UsageError("\(path): \(systemReason(path))") }
    do throws(IOError) {
      if let kind = try DataFolderInspection.kind(of: path, fileSystem) { return kind }
    } catch { throw UsageError("\(error)") }
    throw UsageError("\(path) is neither a data folder, nor a partition's folder, nor a segment")
  }

  /// Segments in the order of their offsets, with the offset that each begins at, of every partition in `path`.
  static func partitions(
    at path: String, _ fileSystem: any FileSystem
  ) throws -> [[(path: String, baseOffset: Int64)]] {
    switch try kind(of: path, fileSystem) {
    case .segment: return [[(path, base(of: path) ?? 0)]]
    case .partition: return [try segments(in: path, fileSystem)]
    case .dataFolder:
      return try fileSystem.list(path).compactMap { name in
        let folder = path + "/" + name
        guard LogFileName.topicPartition(ofFolder: name) != nil, fileSystem.isDirectory(folder) else { return nil }
        return try segments(in: folder, fileSystem)
      }
    }
  }

  private static func segments(
    in folder: String, _ fileSystem: any FileSystem
  ) throws -> [(path: String, baseOffset: Int64)] {
    try fileSystem.list(folder).compactMap { name in base(of: name).map { (folder + "/" + name, $0) } }
  }

  private static func base(of path: String) -> Int64? {
    LogFileName.baseOffset(of: path.split(separator: "/").last.map(String.init) ?? path, suffix: ".log")?.value
  }

  /// `path` without `.` or `..` at its end, so that the folder around it can be found.
  static func resolved(_ path: String) -> String {
    guard ["", ".", ".."].contains(path.split(separator: "/").last ?? "."), let real = realpath(path, nil) else {
      return path
    }
    defer { free(real) }
    return String(cString: real)
  }

  /// The system's sentence for why `path` cannot be looked at.
  private static func systemReason(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) != 0, let reason = strerror(errno) else { return "cannot be looked at" }
    return String(cString: reason).lowercased()
  }
}
