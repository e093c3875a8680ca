import Testing

@testable import OttlaErrorHandling

@Suite struct AcknowledgementWindowTests {
  private typealias Window = AcknowledgementWindow<Int64>

  @Test func onlyWhatIsDoneWithoutAGapMayBeCommitted() {
    var window = Window()
    #expect([5, 6, 9, 10].map { window.handOut($0, at: $0) } == [true, true, true, true])
    #expect([6, 5, 10].map { window.acknowledge($0) } == [nil, 6, nil])
    #expect(window.count == 2)
    #expect([9].map { window.acknowledge($0) } == [10])
    #expect(window.isEmpty)
  }

  @Test func whatNobodyWasHandedMovesNothing() {
    var window = Window()
    #expect([0].map { window.acknowledge($0) } == [nil])
    #expect([3].map { window.handOut($0, at: $0) } == [true])
    #expect([2, 4, 3, 3].map { window.acknowledge($0) } == [nil, nil, 3, nil])
  }

  @Test func whatIsNotBehindAllOthersIsNotTaken() {
    var window = Window()
    #expect([3, 3, 2].map { window.handOut($0, at: $0) } == [true, false, false])
    #expect([3].map { window.acknowledge($0) } == [3])
    #expect([3, 4].map { window.handOut($0, at: $0) } == [false, true])
  }

  /// Against a model that knows all offsets and looks for the first that is not done.
  @Test(arguments: 1...UInt64(PlanWorld.seedsCount)) func everyOrderIsAsTheModelSays(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var window = Window()
    var handed: [Int64] = []
    var open: [Int64] = []
    var last: Int64?
    for _ in 0..<2000 {
      if open.count < 200, Bool.random(using: &random) {
        let next = (handed.last ?? -1) + Int64.random(in: 1...3, using: &random)
        let isTaken = window.handOut(next, at: next, byteCount: 7)
        #expect(isTaken)
        handed.append(next)
        open.append(next)
      } else if let place = open.indices.randomElement(using: &random) {
        let found = window.acknowledge(open.remove(at: place))
        let prefix = handed.last { offset in open.allSatisfy { $0 > offset } }
        #expect(found == (prefix == last ? nil : prefix))
        last = prefix
      }
      let openCount = open.min().map { first in handed.reversed().prefix { $0 >= first }.count } ?? 0
      #expect(window.count == openCount && window.byteCount == 7 * openCount)
    }
  }
}
