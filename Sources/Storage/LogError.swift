package import Effects
package import Primitives

/// Why a log could not do what it was asked.
package enum LogError: Error, Hashable, Sendable {
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
}

/// Runs a file operation, its failure turned into a `LogError`.
func onFile<Result>(_ body: () throws(IOError) -> Result) throws(LogError) -> Result {
  do throws(IOError) { return try body() } catch { throw LogError.io(error) }
}
