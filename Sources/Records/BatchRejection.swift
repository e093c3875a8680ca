package import Primitives

/// Why a producer's batch is not appended, as the Produce response tells it (KIP-467).
package struct BatchRejection: Error, Sendable {
  package let code: ErrorCode
  /// A sentence for people; nil where the code says it all.
  package let message: String?
  /// The records that are to blame, by their place in the batch; empty where the whole batch is. At most
  /// `BatchValidator.recordErrorsMax` of them.
  package let recordErrors: [(index: Int32, message: String?)]

  package init(_ code: ErrorCode, _ message: String?, recordErrors: [(index: Int32, message: String?)] = []) {
    self.code = code
    self.message = message
    self.recordErrors = recordErrors
  }

  /// Records that cannot be read. What the codec does not understand is CORRUPT_MESSAGE, what decompresses to too much
  /// MESSAGE_TOO_LARGE, and all else INVALID_RECORD: the checksum was right, so that sending it again would not help.
  @inline(never)
  init(_ error: RecordError) {
    let code: ErrorCode =
      switch error {
      case .undecodable: .corruptMessage
      case .tooLarge: .messageTooLarge
      case .outOfMemory: .unknownServerError
      case .truncatedBatch, .malformedRecord, .wrongRecordCount, .offsetsOutOfOrder, .unknownCompression:
        .invalidRecord
      }
    self.init(code, "The record batch is refused: \(error).")
  }
}
