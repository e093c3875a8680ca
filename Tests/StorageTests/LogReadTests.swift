import Effects
import Primitives
import Records
import Testing

@testable import Storage

@Suite struct LogReadTests {
  /// A log of which compaction has left a batch without records in each of its older segments.
  private func emptied() throws -> LogFixture {
    let fixture = try LogFixture.compacted { $0.segmentBytes = 190 }
    for number in 0..<4 { try fixture.appendSegment([KeyedRecord("a", "\(number)"), KeyedRecord("b", "\(number)")]) }
    try fixture.appendSegment([KeyedRecord("b", "new"), KeyedRecord("a", "new")])
    try fixture.clean()
    try #require(try fixture.batches().filter { $0.header.recordCount == 0 }.count == 4)
    return fixture
  }

  private func read(_ fixture: LogFixture, from offset: Int64, upTo limit: Int64 = 10) throws -> LogSlice {
    try fixture.log.read(from: Offset(offset), maxBytes: 1 << 20, upTo: Offset(limit), minOneBatch: true)
  }

  @Test func aReadPassesOverWhatCompactionHasEmptied() throws {
    let fixture = try emptied()
    for offset: Int64 in 0..<8 {
      let slice = try read(fixture, from: offset)
      #expect(slice.range != nil && slice.baseOffset == Offset(8) && slice.nextOffset == Offset(10))
    }
    #expect(try read(fixture, from: 9).baseOffset == Offset(9))
  }

  @Test func whereNoRecordFollowsTheEmptiedBatchesBringTheReaderToTheEnd() throws {
    let fixture = try emptied()
    var offset = Offset(1)
    for end: Int64 in [2, 4, 6, 8] {
      let slice = try read(fixture, from: offset.value, upTo: 8)
      #expect(slice.range?.byteCount == 61)
      offset = try #require(slice.nextOffset)
      #expect(offset == Offset(end))
    }
    #expect(try read(fixture, from: 8, upTo: 8).range == nil)
  }
}
