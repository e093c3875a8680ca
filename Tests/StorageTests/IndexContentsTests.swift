import Primitives
import Testing

@testable import Storage

@Suite struct IndexContentsTests {
  /// Made anew from the batches, the indexes of a closed segment say what was said while it was appended to.
  @Test func theyAreWhatAppendingMade() throws {
    let fixture = try LogFixture(LogConfig(segmentBytes: 3000, indexIntervalBytes: 300))
    for number in 0..<80 {
      // Times that go back now and then.
      try fixture.append(makeBatch(2, valueByteCount: 10 + number % 37, timestamp: 1000 + Int64(number * 7 % 60)))
    }
    try fixture.log.flush()
    #expect(fixture.log.segments.count > 3)
    for segment in fixture.log.segments.dropLast() {
      let contents = try segment.indexes(intervalBytes: 300, fixture.log.environment)
      #expect(contents.offsets.count == segment.offsetIndex.count && contents.offsets.count > 2)
      #expect(contents.offsets.last == segment.offsetIndex.last)
      #expect(contents.largest.timestamp == segment.maxTimestamp)
      #expect(contents.largest.offset == segment.offsetOfMaxTimestamp)
      segment.adopt(contents, fixture.log.environment)
      #expect(segment.timeIndex.last == contents.largest)
    }
  }
}
