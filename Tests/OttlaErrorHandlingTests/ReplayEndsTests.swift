import OttlaClient
import Testing

@testable import OttlaErrorHandling

@Suite struct ReplayEndsTests {
  private let first = TopicPartition("t.DLT", 0)
  private let second = TopicPartition("t.DLT", 1)

  @Test func aReplayGoesFromWhereTheLastOneEndedToWhatWasTheEnd() {
    var ends = ReplayEnds()
    ends.add(second, 2..<5)
    ends.add(first, 0..<3)
    ends.add(TopicPartition("t.DLT", 2), 7..<7)
    ends.begin(first, at: 1)
    ends.begin(second, at: 0)
    #expect(ends.starts.map(\.partition) == [first, second] && ends.starts.map(\.offset) == [1, 2])
    #expect([1, 2, 3].map { ends.reach(first, $0) } == [true, true, false])
    #expect([2].map { ends.reach(second, $0) } == [true])
    #expect(!ends.isOver)
    #expect([9].map { ends.reach(second, $0) } == [false])
    #expect(ends.isOver)
  }

  @Test func whatIsDoneIsNotBegunAgain() {
    var ends = ReplayEnds()
    ends.add(first, 0..<3)
    ends.begin(first, at: 3)
    #expect(ends.isOver)
  }
}
