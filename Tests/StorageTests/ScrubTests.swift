import Effects
import Primitives
import Testing

@testable import Storage

@Suite struct ScrubTests {
  private func fixture() throws -> LogFixture {
    let fixture = try LogFixture(LogConfig(segmentBytes: 300, indexIntervalBytes: 64))
    for _ in 0..<12 { try fixture.append(makeBatch(1, valueByteCount: 72)) }
    try fixture.log.flush()
    return fixture
  }

  private func run(_ work: ScrubWork, _ fixture: LogFixture, mustStop: Bool = false) -> ScrubOutcome {
    work.run(fixture.fileSystem, throttle: { _ in }, mustStop: { mustStop })
  }

  private func flipByte(_ fixture: LogFixture, _ base: Int64, at position: Int64) throws {
    let name = LogFileName.name(Offset(base), LogFileName.log)
    let file = try fixture.fileSystem.open(fixture.directory + "/" + name, .readWrite)
    let bytes: [UInt8] = [0xaa]
    try bytes.withUnsafeBytes { try file.write($0, at: position) }
  }

  @Test func everyClosedSegmentComesOnceInItsOrder() throws {
    let fixture = try fixture()
    var bases: [Int64] = []
    while let next = fixture.log.scrubWork(after: Offset(bases.last ?? -1)) {
      bases.append(next.baseOffset.value)
      guard case .sound = run(next.work, fixture) else {
        Issue.record("the segment at \(next.baseOffset.value) is not damaged")
        return
      }
    }
    #expect(bases == [0, 2, 4, 6, 8])
  }

  @Test func damageIsKnownFromThenOn() throws {
    let fixture = try fixture()
    try flipByte(fixture, 4, at: 200)
    let next = try #require(fixture.log.scrubWork(after: Offset(2)))
    let outcome = run(next.work, fixture)
    #expect(try fixture.log.finishScrub(next.work, outcome) == Offset(5)..<Offset(6))
    #expect(throws: LogError.self) {
      try fixture.log.read(from: Offset(5), maxBytes: 1000, upTo: Offset(12), minOneBatch: true)
    }
    #expect(try fixture.log.read(from: Offset(4), maxBytes: 1000, upTo: Offset(12), minOneBatch: true).range != nil)
    #expect(try fixture.log.read(from: Offset(6), maxBytes: 1000, upTo: Offset(12), minOneBatch: true).range != nil)
    #expect(fixture.events.events.contains { if case .damagedBatch = $0 { true } else { false } })
    #expect(fixture.log.scrubWork(after: Offset(2))?.baseOffset == Offset(6), "it is not looked at again")
    #expect(try fixture.log.finishScrub(next.work, outcome) == nil, "nor reported again")
  }

  @Test func aSegmentThatWentMeanwhileIsNothingToTheLog() throws {
    let fixture = try fixture()
    try flipByte(fixture, 0, at: 200)
    let next = try #require(fixture.log.scrubWork(after: Offset(-1)))
    let outcome = run(next.work, fixture)
    try fixture.log.deleteRecords(before: Offset(4), now: fixture.now)
    #expect(try fixture.log.finishScrub(next.work, outcome) == nil)
    guard case .failed(let error) = run(next.work, fixture) else {
      Issue.record("a file that is gone was read")
      return
    }
    #expect(error.isMissing)
  }

  @Test func itStopsWhenItIsTold() throws {
    let fixture = try fixture()
    let next = try #require(fixture.log.scrubWork(after: Offset(-1)))
    if case .stopped = run(next.work, fixture, mustStop: true) {} else { Issue.record("it went on") }
  }
}
