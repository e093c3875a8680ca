internal import Cluster
internal import Effects
internal import Primitives

/// The two files of a single node's metadata: `metadata.snapshot`, one frame that makes an image, and `metadata.log`, the
/// frames behind it.
struct MetadataFiles {
  /// Metadata that no release of ours writes; a file beyond it is something else.
  static let byteCountMax: Int64 = 1 << 30

  let fileSystem: any FileSystem
  let directory: String
  var logPath: String { directory + "/metadata.log" }
  var snapshotPath: String { directory + "/metadata.snapshot" }

  /// Opens the log, made with its folder when it is not there; the names are on the disk then.
  func openLog() throws(StartError) -> any File {
    do throws(IOError) {
      if !fileSystem.exists(directory) {
        try fileSystem.createDirectory(directory)
        try fileSystem.syncDirectory(Self.parent(of: directory))
      }
      let file = try fileSystem.open(logPath, .readWrite)
      try fileSystem.syncDirectory(directory)
      return file
    } catch {
      throw .io(error)
    }
  }

  /// The snapshot; nil when none was written yet.
  func readSnapshot() throws(StartError) -> MetadataFrame? {
    guard fileSystem.exists(snapshotPath) else { return nil }
    let file: any File
    do throws(IOError) { file = try fileSystem.open(snapshotPath, .read) } catch { throw .io(error) }
    let bytes = try contents(of: file, path: snapshotPath)
    let frame = bytes.withUnsafeBytes { buffer -> MetadataFrame? in
      MetadataFrame.intactByteCount(buffer) == buffer.count ? MetadataFrame(intact: buffer) : nil
    }
    guard let frame else {
      throw .damaged(path: snapshotPath, position: 0, reason: "its checksum or its records are bad")
    }
    return frame
  }

  /// What is in the log behind `snapshotOffset`.
  func scan(_ log: any File, snapshotOffset: Offset) throws(StartError) -> MetadataLogScan {
    let bytes = try contents(of: log, path: logPath)
    var scan: Result<MetadataLogScan, StartError>?
    bytes.withUnsafeBytes { buffer in
      scan = Result { () throws(StartError) in
        try MetadataLogScan(buffer, path: logPath, snapshotOffset: snapshotOffset)
      }
    }
    guard let scan else { preconditionFailure("a scan ended without a result") }
    return try scan.get()
  }

  /// All of `file`.
  ///
  /// - Throws: `.tooLarge` before a byte of too large a file is read.
  private func contents(of file: any File, path: String) throws(StartError) -> [UInt8] {
    let size: Int64
    do throws(IOError) { size = try file.size() } catch { throw .io(error) }
    if size > Self.byteCountMax { throw .tooLarge(path: path, byteCount: size, byteCountMax: Self.byteCountMax) }
    do throws(IOError) { return try Self.read(Int(size), of: file) } catch { throw .io(error) }
  }

  /// The first `byteCount` bytes of `file`, or all when there are fewer.
  private static func read(_ byteCount: Int, of file: any File) throws(IOError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var outcome: Result<Int, IOError> = .success(0)
    bytes.withUnsafeMutableBytes { buffer in
      outcome = Result { () throws(IOError) in try file.read(into: buffer, at: 0) }
    }
    bytes.removeLast(byteCount - (try outcome.get()))
    return bytes
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
