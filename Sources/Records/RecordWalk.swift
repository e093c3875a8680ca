import Primitives

/// What one pass over the records of a batch found.
///
/// The pass is the hot path of Produce: it touches the fields' lengths only, allocates nothing, and leaves the naming of
/// single records that break a rule to a second pass.
struct RecordWalk {
  /// The largest timestamp above -1, in milliseconds; -1 where there is none.
  private(set) var maxTimestamp: Int64 = -1
  /// The first record with `maxTimestamp`; -1 where there is none.
  private(set) var indexOfMaxTimestamp: Int32 = -1
  private(set) var minTimestamp: Int64 = .max
  private(set) var someKeyIsNull = false

  /// Walks over all of `memory`: exactly `count` well-formed records with offset deltas 0, 1, 2 and so on.
  init(over memory: UnsafeRawBufferPointer, count: Int32, baseTimestamp: Int64) throws(RecordError) {
    guard let base = memory.baseAddress else { throw .wrongRecordCount }
    let end = base + memory.count
    var cursor = ByteCursor(from: base, to: end)
    var index: Int32 = 0
    while index < count {
      guard cursor.remaining > 0 else { throw .wrongRecordCount }
      let length = Int(try cursor.varint())
      guard length >= 0, length <= cursor.remaining else { throw .malformedRecord }
      let recordEnd = cursor.next + length
      var record = ByteCursor(from: cursor.next, to: recordEnd)
      _ = try record.byte()
      let timestamp = baseTimestamp &+ (try record.varlong())
      guard try record.varint() == index else { throw .offsetsOutOfOrder }
      note(timestamp, at: index, hasKey: try record.skipField())
      _ = try record.skipField()
      try record.skipHeaders(try record.varint())
      guard record.remaining == 0 else { throw .malformedRecord }
      cursor = ByteCursor(from: recordEnd, to: end)
      index &+= 1
    }
    guard cursor.remaining == 0 else { throw .wrongRecordCount }
  }

  @inline(__always)
  private mutating func note(_ timestamp: Int64, at index: Int32, hasKey: Bool) {
    if timestamp > maxTimestamp {
      maxTimestamp = timestamp
      indexOfMaxTimestamp = index
    }
    minTimestamp = min(minTimestamp, timestamp)
    if !hasKey { someKeyIsNull = true }
  }
}

extension ByteCursor {
  /// Steps over a field behind its length; false for length -1.
  @inline(__always)
  fileprivate mutating func skipField() throws(RecordError) -> Bool {
    let length = Int(try varint())
    if length == -1 { return false }
    try skip(length)
    return true
  }
}
