import Primitives
import Records
import Testing

@testable import Storage

@Suite struct ProducerStateTableTests {
  private let now = Timestamp(milliseconds: 5000)

  private func header(_ sequence: Int32, count: Int = 1, epoch: Int16 = 0, id: Int64 = 7) throws -> RecordBatchHeader {
    let batch = makeBatch(count, producerID: id, producerEpoch: epoch, baseSequence: sequence)
    return try #require(batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
  }

  /// A table whose producer 7 appended batches of `count` records from `first` on, at offsets 100, 110, ...
  private func table(_ batches: Int, count: Int = 1, first: Int32 = 0, epoch: Int16 = 0) throws -> ProducerStateTable {
    let table = ProducerStateTable()
    for number in 0..<batches {
      let sequence = Int32((Int64(first) + Int64(number * count)) & 0x7fff_ffff)
      let header = try header(sequence, count: count, epoch: epoch)
      #expect(table.check(header) == .append)
      table.appended(header, baseOffset: Offset(100 + Int64(number) * 10), now: now)
    }
    return table
  }

  private func code(_ verdict: ProducerVerdict) -> ErrorCode? {
    switch verdict {
    case .refuse(let error), .forgottenDuplicate(_, let error): error.code
    case .append, .duplicate: nil
    }
  }

  @Test func theLastFiveBatchesAreKnownAgain() throws {
    let table = try table(8, count: 3)
    for number in 3..<8 {
      let verdict = table.check(try header(Int32(number * 3), count: 3))
      #expect(
        verdict
          == .duplicate(
            baseOffset: Offset(100 + Int64(number) * 10), timestamp: Timestamp(milliseconds: 1_700_000_000_002)))
    }
    for number in 0..<3 {
      #expect(code(table.check(try header(Int32(number * 3), count: 3))) == .duplicateSequenceNumber)
    }
    #expect(table.check(try header(24, count: 3)) == .append)
    #expect(code(table.check(try header(25, count: 3))) == .outOfOrderSequenceNumber)
    // Partly known is neither new nor the same.
    #expect(code(table.check(try header(21, count: 2))) == .outOfOrderSequenceNumber)
    #expect(code(table.check(try header(22, count: 3))) == .outOfOrderSequenceNumber)
  }

  @Test func anUnknownProducerMayBeginAnywhere() throws {
    #expect(ProducerStateTable().check(try header(12345)) == .append)
  }

  @Test func epochsFence() throws {
    let table = try table(2, epoch: 4)
    #expect(code(table.check(try header(2, epoch: 3))) == .invalidProducerEpoch)
    #expect(code(table.check(try header(2, epoch: 5))) == .outOfOrderSequenceNumber)
    let first = try header(0, epoch: 5)
    #expect(table.check(first) == .append)
    table.appended(first, baseOffset: Offset(500), now: now)
    #expect(table.check(first) == .duplicate(baseOffset: Offset(500), timestamp: first.maxTimestamp))
    #expect(code(table.check(try header(0, epoch: 4))) == .invalidProducerEpoch)
  }

  @Test func sequencesWrap() throws {
    // 2147483646, 2147483647, 0 | 1, 2, 3
    let table = try table(2, count: 3, first: Int32.max - 1)
    #expect(table.check(try header(4, count: 3)) == .append)
    #expect(
      table.check(try header(Int32.max - 1, count: 3))
        == .duplicate(baseOffset: Offset(100), timestamp: Timestamp(milliseconds: 1_700_000_000_002)))
    #expect(code(table.check(try header(Int32.max - 4, count: 3))) == .duplicateSequenceNumber)

    let atTheEdge = try self.table(1, first: Int32.max)
    #expect(atTheEdge.check(try header(0)) == .append)
    #expect(code(atTheEdge.check(try header(1))) == .outOfOrderSequenceNumber)
  }

  @Test func expiredProducersAreForgotten() throws {
    let table = try table(3)
    #expect(table.expire(now: Timestamp(milliseconds: 5999), expirationMs: 1000) == 0)
    #expect(table.expire(now: Timestamp(milliseconds: 6000), expirationMs: 1000) == 1)
    #expect(table.check(try header(99)) == .append)
  }

  @Test func theTableIsBounded() throws {
    let table = ProducerStateTable(producerCountMax: 100)
    for number: Int64 in 0..<1000 {
      table.appended(try header(0, id: number), baseOffset: Offset(number), now: Timestamp(milliseconds: number))
      #expect(table.count <= 100)
    }
    #expect(code(table.check(try header(5, id: 999))) == .outOfOrderSequenceNumber)
    #expect(table.check(try header(5, id: 0)) == .append)
  }

  @Test func openTransactionsAreNeitherExpiredNorMissed() throws {
    let table = ProducerStateTable()
    let batch = makeBatch(2, producerID: 9, producerEpoch: 1, baseSequence: 0, isTransactional: true)
    let begun = try #require(batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    table.appended(begun, baseOffset: Offset(40), now: now)
    #expect(table.firstUnstableOffset == Offset(40))
    #expect(table.expire(now: Timestamp(milliseconds: .max), expirationMs: 1) == 0)
    let marker = ControlRecord(.commit, coordinatorEpoch: 3).batch(
      producerID: ProducerID(9), producerEpoch: ProducerEpoch(1), timestamp: now)
    let ended = try #require(marker.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    table.appended(ended, baseOffset: Offset(42), now: now, coordinatorEpoch: 3)
    #expect(table.firstUnstableOffset == nil)
    #expect(table.states[ProducerID(9)]?.coordinatorEpoch == 3)
    // The marker takes no sequence.
    let batchAfter = makeBatch(1, producerID: 9, producerEpoch: 1, baseSequence: 2, isTransactional: true)
    #expect(table.check(try #require(batchAfter.withUnsafeBytes { RecordBatchHeader(reading: $0) })) == .append)
  }

  @Test func theSnapshotHasKafkasBytes() throws {
    let table = ProducerStateTable()
    table.appended(
      try header(0, count: 3, epoch: 2, id: 0x0102), baseOffset: Offset(0x10), now: Timestamp(milliseconds: 0x55))
    let bytes = ProducerSnapshot.encode(table.states)
    let entry: [UInt8] = [
      0, 0, 0, 0, 0, 0, 1, 2,  // producer id
      0, 2,  // epoch
      0, 0, 0, 2,  // last sequence
      0, 0, 0, 0, 0, 0, 0, 0x12,  // last offset
      0, 0, 0, 2,  // offset delta
      0, 0, 0, 0, 0, 0, 0, 0x55,  // timestamp
      0xff, 0xff, 0xff, 0xff,  // coordinator epoch
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  // first offset of the open transaction
    ]
    let checked: [UInt8] = [0, 0, 0, 1] + entry
    let checksum = checked.withUnsafeBytes { CRC32C.portableChecksum($0) }
    #expect(bytes == [0, 1] + withUnsafeBytes(of: checksum.bigEndian) { Array($0) } + checked)
    let read = try #require(ProducerSnapshot.decode(bytes))
    #expect(read.count == 1)
    #expect(read[0].0 == ProducerID(0x0102))
    #expect(read[0].1.last?.baseOffset == Offset(0x10))
    #expect(ProducerSnapshot.decode([]) == nil)
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x10
      #expect(ProducerSnapshot.decode(damaged) == nil)
    }
  }

  @Test func producersSurviveARestart() throws {
    for recovery in [LogRecoveryMode.clean, .unclean] {
      let fixture = try LogFixture()
      for number: Int32 in 0..<10 {
        try fixture.append(makeBatch(1, producerID: 7, producerEpoch: 0, baseSequence: number))
      }
      try fixture.log.flush()
      try fixture.reopen(recovery)
      guard case .duplicate(let base, _) = fixture.log.producers.check(try header(9)) else {
        Issue.record("the last batch is not known again")
        return
      }
      #expect(base == Offset(9))
      #expect(fixture.log.producers.check(try header(10)) == .append)
      #expect(code(fixture.log.producers.check(try header(11))) == .outOfOrderSequenceNumber)
    }
  }
}
