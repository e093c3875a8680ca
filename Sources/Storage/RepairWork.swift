package import Effects
internal import Primitives

/// Checked batches of another replica, to be written where a segment is damaged. May be carried to a disk thread, done there
/// with `run`, and brought back to `Log.finishRepair`. Until then the log must not be cut.
package struct RepairWork: Sendable {
  package let place: DamagedPlace
  let bytes: [UInt8]
  /// The offset behind the last of them.
  let nextOffset: Offset
  /// Whether the place is whole afterwards.
  let isLast: Bool
  /// The file itself: by its name it might be another one by then.
  let file: any File
  let directory: String
  /// Of a segment that takes no appends: how its indexes are made anew when the place is whole. nil for the active one,
  /// whose indexes were made while it was.
  let indexing: Indexing?

  struct Indexing: Sendable {
    let intervalBytes: Int
    let segmentByteCount: Int64
    /// What else is damaged.
    let damages: [DamagedRange]
  }

  package var byteCount: Int { bytes.count }

  /// Writes the batches in place, brings them to the disk, and looks at what the segment holds now; on whatever thread.
  package func run(_ fileSystem: any FileSystem) throws(IOError) -> RepairOutcome {
    var failure: IOError?
    bytes.withUnsafeBytes { buffer in
      do throws(IOError) { try file.write(buffer, at: place.position) } catch { failure = error }
    }
    if let failure { throw failure }
    let end = place.position + Int64(bytes.count)
    if isLast, place.endsSegment { try file.truncate(to: end) }
    try file.sync()
    guard isLast, let indexing else { return RepairOutcome(indexes: nil) }
    let segment = LogSegment(
      directory: directory, baseOffset: place.segmentBaseOffset, jitterMs: 0, now: Timestamp(milliseconds: 0))
    segment.byteCount = place.endsSegment ? end : indexing.segmentByteCount
    segment.writtenByteCount = segment.byteCount
    segment.damages = indexing.damages
    let environment = LogEnvironment(
      fileSystem: fileSystem, handles: FileHandleCache(fileSystem: fileSystem, openFilesMax: 2))
    environment.handles.adopt(file, for: segment.log)
    do throws(LogError) {
      return RepairOutcome(indexes: try segment.indexes(intervalBytes: indexing.intervalBytes, environment))
    } catch {
      // A header elsewhere is damaged: the old indexes may be all that leads behind it.
      if case .io(let cause) = error { throw cause }
      return RepairOutcome(indexes: nil)
    }
  }
}

/// What came of `RepairWork.run`.
package struct RepairOutcome: Sendable {
  /// The entries of both indexes, where they are to be made anew.
  let indexes: IndexContents?
}
