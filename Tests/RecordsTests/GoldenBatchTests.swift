import Primitives
import Records
import Testing

/// Batches of another implementation are read, and accepted as they are.
@Suite struct GoldenBatchTests {
  static let all: [(name: String, batch: [UInt8])] = [
    ("none", GoldenBatches.none), ("gzip", GoldenBatches.gzip), ("snappy", GoldenBatches.snappy),
    ("lz4", GoldenBatches.lz4), ("zstd", GoldenBatches.zstd), ("transactional", GoldenBatches.transactional),
    ("snappyRaw", GoldenBatches.snappyRaw), ("lz4Linked", GoldenBatches.lz4Linked),
    ("lz4WithoutSize", GoldenBatches.lz4WithoutSize),
  ].map { ($0.0, [UInt8](hexadecimal: $0.1)) }

  static let base: Int64 = 1_700_000_000_000

  static let records = [
    SampleRecord(key: Array("key-0".utf8), value: Array("value-0".utf8), timestamp: at(0)),
    SampleRecord(
      key: nil, value: Array("value without a key".utf8),
      headers: [.init(key: "trace", value: [0, 1]), .init(key: "empty", value: nil)], timestamp: at(5)),
    SampleRecord(key: Array("tombstone".utf8), value: nil, timestamp: at(-3)),
    SampleRecord(key: [], value: [], headers: [.init(key: "hä", value: [])], timestamp: at(900)),
    SampleRecord(
      key: Array("long".utf8), value: Array(String(repeating: "0123456789", count: 40).utf8), timestamp: at(900)),
  ]

  private static func at(_ distance: Int64) -> Timestamp { Timestamp(milliseconds: base + distance) }

  @Test(arguments: all.indices) func areReadAndAccepted(index: Int) throws {
    let (name, batch) = Self.all[index]
    #expect(try SampleRecord.all(in: batch) == Self.records, "\(name)")
    let validated = try validate(batch)
    #expect(validated.bytes == .verbatim, "\(name)")
    #expect(validated.maxTimestamp == Self.at(900) && validated.offsetOfMaxTimestampDelta == 3)
    #expect(validated.recordCount == 5)
  }

  /// Without compression there is one way to write a batch: ours must be the same bytes.
  @Test func theBuilderMakesTheSameBytes() {
    var plain = RecordBatchBuilder()
    var transactional = RecordBatchBuilder(
      producerID: ProducerID(4711), producerEpoch: ProducerEpoch(3), baseSequence: 42, isTransactional: true)
    for record in Self.records {
      plain.append(record)
      transactional.append(record)
    }
    #expect(plain.build(leaderEpoch: LeaderEpoch(0)) == [UInt8](hexadecimal: GoldenBatches.none))
    #expect(transactional.build(leaderEpoch: LeaderEpoch(0)) == [UInt8](hexadecimal: GoldenBatches.transactional))
  }
}
