package import Effects
package import Primitives

/// Why a log could not do what it was asked.
package enum LogError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The machine refused; after a failed write or sync the log is fenced.
  case io(IOError)
  /// The offset asked for is not in the log: below its start or beyond its end (OFFSET_OUT_OF_RANGE).
  case offsetOutOfRange(logStart: Offset, logEnd: Offset)
  /// A write failed earlier. Nothing is appended until the log is opened again, for what the file holds behind
  /// `writtenEndOffset` is not known.
  case fenced
  /// One batch that no segment can hold (RECORD_LIST_TOO_LARGE).
  case batchTooLarge(byteCount: Int, segmentBytes: Int)
  /// The file holds something that is no batch of this log (KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE).
  case corrupt(path: String, position: Int64, reason: String)

  package var description: String {
    switch self {
    case .io(let error): error.description
    case .offsetOutOfRange(let start, let end): "the log holds offsets from \(start.value) up to \(end.value)"
    case .fenced: "a write failed earlier, and the log takes no more until a restart"
    case .batchTooLarge(let byteCount, let segmentBytes):
      "a batch of \(byteCount) bytes does not fit into a segment of \(segmentBytes) (segment.bytes)"
    case .corrupt(let path, let position, let reason): "\(path) is damaged at byte \(position): \(reason)"
    }
  }
}

/// Runs a file operation, its failure turned into a `LogError`.
func onFile<Result>(_ body: () throws(IOError) -> Result) throws(LogError) -> Result {
  do throws(IOError) { return try body() } catch { throw LogError.io(error) }
}
