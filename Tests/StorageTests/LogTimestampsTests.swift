import Primitives
import Records
import Testing

@testable import Storage

@Suite struct LogTimestampsTests {
  struct Record {
    let offset: Int64
    let timestamp: Int64
  }

  @Test(arguments: 0..<20) func lookupsAgreeWithBruteForce(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let fixture = try LogFixture(
      LogConfig(segmentBytes: 3000, indexIntervalBytes: .random(in: 0...400, using: &random)))
    var records: [Record] = []
    for epoch in 0..<60 {
      // Times go forth and back, within a batch too.
      let first = Int64.random(in: 0...2000, using: &random)
      let count = Int.random(in: 1...8, using: &random)
      let step = Int64.random(in: -3...3, using: &random)
      let codec = CompressionType.allCases.randomElement(using: &random) ?? .none
      let base = try fixture.append(
        makeBatch(count, timestamp: first, step: step, compression: codec), epoch: Int32(epoch)
      ).baseOffset
      for number in 0..<count {
        records.append(Record(offset: base.value + Int64(number), timestamp: first + Int64(number) * step))
      }
    }
    try fixture.log.writePending()
    if seed % 2 == 0 { try fixture.reopen(seed % 4 == 0 ? .clean : .unclean) }
    for round in 0..<300 {
      if round == 150 { try fixture.log.deleteRecords(before: Offset(records[40].offset), now: fixture.now) }
      let visible = records.filter { $0.offset >= fixture.log.logStartOffset.value }
      let limit = Int64.random(in: 0...fixture.log.logEndOffset.value, using: &random)
      let sought = Int64.random(in: -10...2100, using: &random)
      let found = try fixture.log.offsetForTimestamp(Timestamp(milliseconds: sought), upTo: Offset(limit))
      let wanted = visible.first { $0.timestamp >= sought && $0.offset < limit }
      #expect(found?.offset.value == wanted?.offset)
      #expect(found?.timestamp.milliseconds == wanted?.timestamp)
      if let found { #expect(fixture.log.leaderEpochs.epoch(at: found.offset) == found.leaderEpoch) }
    }
    let largest = records.filter { $0.offset >= fixture.log.logStartOffset.value }.map(\.timestamp).max()
    let found = try fixture.log.offsetOfMaxTimestamp(upTo: fixture.log.logEndOffset)
    #expect(found?.timestamp.milliseconds == largest)
    #expect(
      found?.offset.value
        == records.first { $0.timestamp == largest && $0.offset >= fixture.log.logStartOffset.value }?.offset)
  }

  @Test func logAppendTimeIsTheTimeOfEveryRecord() throws {
    let fixture = try LogFixture()
    var builder = RecordBatchBuilder(isLogAppendTime: true)
    for number: Int64 in 0..<3 {
      builder.append(key: nil, value: [1], timestamp: Timestamp(milliseconds: 100 + number))
    }
    try fixture.append(builder.build())
    try fixture.log.writePending()
    let found = try fixture.log.offsetForTimestamp(Timestamp(milliseconds: 101), upTo: Offset(3))
    #expect(found?.offset == .zero)
    #expect(found?.timestamp == Timestamp(milliseconds: 102))
  }

  @Test func anEmptyLogHasNoTimestamps() throws {
    let fixture = try LogFixture()
    #expect(try fixture.log.offsetForTimestamp(.none, upTo: Offset(9)) == nil)
    #expect(try fixture.log.offsetOfMaxTimestamp(upTo: Offset(9)) == nil)
  }
}
