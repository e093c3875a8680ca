import Effects
import Primitives
import Records
import Testing

@testable import Storage

@Suite struct LogFlushTests {
  /// A log of many small segments, none of it flushed yet.
  private func fixture() throws -> LogFixture {
    let fixture = try LogFixture(LogConfig(segmentBytes: 300, indexIntervalBytes: 100))
    for _ in 0..<40 { try fixture.append(makeBatch(1, valueByteCount: 100)) }
    #expect(fixture.log.segments.count >= 15)
    return fixture
  }

  /// Each piece holds few files open, and moves the recovery point no further than what it has brought to the disk.
  @Test(arguments: [1, 2, 3, 7, 1000]) func aLogIsFlushedPieceByPiece(filesMax: Int) throws {
    let fixture = try fixture()
    let log = fixture.log
    var synced: Set<ObjectIdentifier> = []
    var pieces = 0
    while let work = try log.beginFlush(filesMax: filesMax) {
      #expect(work.files.count <= filesMax + 2, "the log's two small files come on top")
      try work.run(fixture.fileSystem)
      for file in work.files { synced.insert(ObjectIdentifier(file)) }
      let point = log.recoveryPoint
      log.finishFlush(work, failure: nil)
      pieces += 1
      #expect(log.recoveryPoint >= point && pieces < 1000)
      let flushed = log.segments.prefix { $0.baseOffset < log.recoveryPoint }.count
      #expect(flushed <= pieces * filesMax, "segments that no piece had in it count as flushed")
      #expect(work.leavesMore == (log.recoveryPoint < log.logEndOffset || !log.sealedIndexes.isEmpty))
    }
    #expect(log.recoveryPoint == log.logEndOffset && log.sealedIndexes.isEmpty && log.unflushedBytes == 0)
    #expect(filesMax == 1000 ? pieces == 1 : pieces >= log.segments.count / filesMax)
  }

  /// After a cut the recovery point is held where it is until a checkpoint says so: the pieces still follow each other.
  @Test func aLogThatWasCutIsFlushedPieceByPieceToo() throws {
    let fixture = try fixture()
    let log = fixture.log
    try log.flush()
    try log.truncate(to: Offset(3), now: fixture.now)
    for _ in 0..<20 { try fixture.append(makeBatch(1, valueByteCount: 100)) }
    let cut = try #require(log.unnotedCut)
    var pieces = 1
    while let work = try log.beginFlush(filesMax: 3) {
      log.finishFlush(work, failure: nil)
      #expect(log.recoveryPoint <= Offset(3))
      guard work.leavesMore, pieces < 1000 else { break }
      pieces += 1
    }
    #expect((6...30).contains(pieces))
    log.noteCutWritten(cut)
    #expect(log.recoveryPoint == log.logEndOffset)
    try log.flush()
  }

  /// The next start believes the indexes of what lies below the recovery point.
  @Test func noSegmentIsFlushedBeforeItsIndexes() throws {
    let log = try fixture().log
    let sealed = log.sealedIndexes.count
    let work = try #require(try log.beginFlush(filesMax: sealed))
    log.finishFlush(work, failure: nil)
    #expect(log.sealedIndexes.isEmpty && log.recoveryPoint == .zero && work.leavesMore)
  }
}
