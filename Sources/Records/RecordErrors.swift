import Primitives

/// The second pass over records of which some break a rule of the topic: it names them.
enum RecordErrors {
  /// Rejects the batch with its records that have no key on a compacted topic, or a timestamp outside of `timestamps`.
  /// Records without a timestamp (-1) are no offence. The records have been walked over before.
  @inline(never)
  static func check(
    _ records: UnsafeRawBufferPointer, header: RecordBatchHeader, rules: AppendRules, timestamps: ClosedRange<Int64>
  ) throws(BatchRejection) {
    var errors: [(index: Int32, message: String?)] = []
    var someTimestampIsWrong = false
    do throws(RecordError) {
      guard let base = records.baseAddress else { return }
      var cursor = ByteCursor(from: base, to: base + records.count)
      for index in 0..<header.recordCount where errors.count < BatchValidator.recordErrorsMax {
        let record = try cursor.record(in: base)
        if rules.isCompacted, record.key == nil {
          errors.append((index, "Compacted topic cannot accept message without key."))
          continue
        }
        let timestamp = header.timestamp(of: record).milliseconds
        guard timestamp != Timestamp.none.milliseconds, !timestamps.contains(timestamp) else { continue }
        someTimestampIsWrong = true
        errors.append((index, outOfRange(timestamp, offset: index, timestamps)))
      }
    } catch { throw BatchRejection(error) }
    guard !errors.isEmpty else { return }
    throw someTimestampIsWrong
      ? BatchRejection(
        .invalidTimestamp, "One or more records have been rejected due to invalid timestamp.", recordErrors: errors)
      : BatchRejection(
        .invalidRecord,
        "One or more records have been rejected due to \(errors.count) record errors, the first: "
          + (errors.first?.message ?? ""), recordErrors: errors)
  }

  private static func outOfRange(_ timestamp: Int64, offset: Int32, _ timestamps: ClosedRange<Int64>) -> String {
    "Timestamp \(timestamp) of message with offset \(offset) is out of range. "
      + "The timestamp should be within [\(timestamps.lowerBound), \(timestamps.upperBound)]."
  }
}
