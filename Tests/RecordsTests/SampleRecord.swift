import Primitives
import Records

/// A record of a test, as the application sees it.
struct SampleRecord: Equatable {
  struct Header: Equatable {
    var key: String
    var value: [UInt8]?
  }
  var key: [UInt8]?
  var value: [UInt8]?
  var headers: [Header] = []
  var timestamp: Timestamp

  static func random(_ noise: inout Noise) -> SampleRecord {
    func field(_ noise: inout Noise) -> [UInt8]? {
      noise.below(5) == 0 ? nil : Noise.bytes(noise.below(noise.below(20) == 0 ? 9000 : 100), seed: noise.next())
    }
    return SampleRecord(
      key: field(&noise), value: field(&noise),
      headers: (0..<max(0, noise.below(6) - 3)).map { Header(key: "h\($0)ä", value: field(&noise)) },
      timestamp: Timestamp(milliseconds: 1_700_000_000_000 + Int64(noise.below(100_000)) - 50_000))
  }

  /// The records of a batch, read by iteration.
  static func all(in batch: [UInt8]) throws(RecordError) -> [SampleRecord] {
    let header = batch.withUnsafeBytes { RecordBatchHeader(reading: $0) }
    guard let header else { throw .truncatedBatch }
    var records: [SampleRecord] = []
    try batch.eachRecord { record, memory throws(RecordError) in
      var sample = SampleRecord(
        key: record.key.map { Array(memory[$0]) }, value: record.value.map { Array(memory[$0]) },
        timestamp: header.timestamp(of: record))
      try record.forEachHeader(in: memory) { key, value throws(RecordError) in
        sample.headers.append(
          Header(key: String(decoding: memory[key], as: UTF8.self), value: value.map { Array(memory[$0]) }))
      }
      records.append(sample)
      return true
    }
    return records
  }
}

extension RecordBatchBuilder {
  mutating func append(_ record: SampleRecord) {
    append(
      key: record.key, value: record.value, headers: record.headers.map { ($0.key, $0.value) },
      timestamp: record.timestamp)
  }
}

/// A batch of `count` records alike, one millisecond apart.
func sampleBatch(
  count: Int, codec: CompressionType = .none, key: [UInt8]? = [1, 2], value: [UInt8]? = [3, 4, 5],
  from milliseconds: Int64 = 1_700_000_000_000
) -> [UInt8] {
  var builder = RecordBatchBuilder(compression: codec)
  for index in 0..<count {
    builder.append(key: key, value: value, timestamp: Timestamp(milliseconds: milliseconds + Int64(index)))
  }
  return builder.build()
}

extension [UInt8] {
  func eachRecord(
    _ decompressor: Decompressor = Decompressor(), byteCountMax: Int = 1 << 24,
    _ body: (RecordView, UnsafeRawBufferPointer) throws(RecordError) -> Bool
  ) throws(RecordError) {
    let failure = withUnsafeBytes { batch -> RecordError? in
      do throws(RecordError) {
        try forEachRecord(in: batch, decompressor: decompressor, byteCountMax: byteCountMax, body: body)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  /// Overwrites a big-endian field.
  mutating func patch<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at distance: Int) {
    withUnsafeMutableBytes { $0.baseAddress?.storeBigEndian(value, at: distance) }
  }

  /// Sets the checksum right again after a change.
  mutating func reseal() {
    patch(withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[21...])) }, at: 17)
  }
}
