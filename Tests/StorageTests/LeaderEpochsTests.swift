import Primitives
import Testing

@testable import Storage

@Suite struct LeaderEpochsTests {
  private func epochs(_ pairs: (Int32, Int64)...) -> LeaderEpochs {
    var epochs = LeaderEpochs()
    for (epoch, start) in pairs { epochs.assign(LeaderEpoch(epoch), from: Offset(start)) }
    return epochs
  }

  private func end(_ epochs: LeaderEpochs, _ epoch: Int32) -> [Int64] {
    let answer = epochs.endOffset(for: LeaderEpoch(epoch), logEndOffset: Offset(100))
    return [Int64(answer.epoch.value), answer.endOffset.value]
  }

  @Test func endOffsetsAreThoseOfKafka() {
    let epochs = epochs((2, 10), (4, 30), (7, 60))
    #expect(end(epochs, 7) == [7, 100])
    #expect(end(epochs, 4) == [4, 60])
    #expect(end(epochs, 5) == [4, 60])
    #expect(end(epochs, 3) == [2, 30])
    #expect(end(epochs, 1) == [1, 10])
    #expect(end(epochs, 8) == [-1, -1])
    #expect(end(epochs, -1) == [-1, -1])
    #expect(end(LeaderEpochs(), 0) == [-1, -1])
  }

  @Test func termsWithoutRecordsAreForgotten() {
    #expect(epochs((1, 0), (2, 5), (3, 5)).entries.map(\.epoch.value) == [1, 3])
    #expect(epochs((3, 5), (2, 9)).entries.map(\.epoch.value) == [3])
  }

  @Test func truncation() {
    var epochs = epochs((1, 0), (2, 5), (3, 9))
    epochs.truncateFromEnd(Offset(9))
    #expect(epochs.entries.map(\.epoch.value) == [1, 2])
    #expect(epochs.latest == LeaderEpoch(2))
    epochs.truncateFromStart(Offset(7))
    #expect(epochs.entries == [.init(epoch: LeaderEpoch(2), startOffset: Offset(7))])
  }

  @Test func theCheckpointIsReadBack() {
    let epochs = epochs((1, 0), (2, 5), (3, 9))
    #expect(epochs.checkpoint == "0\n3\n1 0\n2 5\n3 9\n")
    #expect(LeaderEpochs(checkpoint: epochs.checkpoint) == epochs)
    #expect(LeaderEpochs(checkpoint: LeaderEpochs().checkpoint) == LeaderEpochs())
    for text in [
      "", "0\n", "1\n0\n", "0\n1\n", "0\n2\n1 0\n", "0\n1\n1 0", "0\n2\n2 0\n1 5\n", "0\n1\n-1 0\n", "0\n1\n1 -5\n",
    ] {
      #expect(LeaderEpochs(checkpoint: text) == nil)
    }
  }

  @Test func theLogLearnsTermsFromItsBatches() throws {
    let fixture = try LogFixture()
    for epoch: Int32 in [0, 0, 3, 3, 8] { try fixture.append(makeBatch(2), epoch: epoch) }
    fixture.log.beginLeaderEpoch(LeaderEpoch(9))
    #expect(fixture.log.leaderEpochs.entries.map(\.startOffset.value) == [0, 4, 8, 10])
    #expect(fixture.log.endOffset(for: LeaderEpoch(3)) == (LeaderEpoch(3), Offset(8)))
  }

  @Test func truncatingTheLogForgetsTermsProducersAndBatches() throws {
    for offset: Int64 in 0...21 {
      let fixture = try LogFixture(LogConfig(segmentBytes: 500, indexIntervalBytes: 100))
      for number: Int32 in 0..<10 {
        try fixture.append(
          makeBatch(2, timestamp: 1000 - Int64(number), producerID: 1, producerEpoch: 0, baseSequence: number * 2),
          epoch: number / 3)
      }
      try fixture.log.truncate(to: Offset(offset), now: fixture.now)
      let end = min(offset / 2 * 2, 20)
      #expect(fixture.log.logEndOffset.value == end)
      #expect(fixture.log.leaderEpochs.entries.allSatisfy { $0.startOffset.value < end })
      #expect(fixture.log.producers.count == (end == 0 ? 0 : 1))
      try fixture.append(makeBatch(2, producerID: 1, producerEpoch: 0, baseSequence: Int32(end)), epoch: 20)
      try fixture.reopen(.clean)
      #expect(fixture.log.recovered.truncatedBytes == 0)
      #expect(fixture.log.logEndOffset.value == end + 2)
      var count = 0
      try fixture.log.scan(from: .zero, upTo: Offset(.max)) { _, _ in count += 1 }
      #expect(count == end / 2 + 1)
    }
  }

  @Test func aFlushBegunBeforeACutSaysNothing() throws {
    let fixture = try LogFixture()
    for _ in 0..<10 { try fixture.append(makeBatch(1)) }
    let work = try #require(try fixture.log.beginFlush())
    try fixture.log.truncate(to: Offset(5), now: fixture.now)
    for _ in 0..<10 { try fixture.append(makeBatch(1)) }
    try fixture.log.writePending()
    try work.run(fixture.fileSystem)
    fixture.log.finishFlush(work, failure: nil)
    #expect(fixture.log.recoveryPoint == .zero)
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(15))
    #expect(try fixture.log.beginFlush() == nil)
  }
}
