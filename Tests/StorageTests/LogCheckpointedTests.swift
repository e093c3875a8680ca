import Effects
import Primitives
import Testing

@testable import Storage

@Suite struct LogCheckpointedTests {
  /// 40 batches of which 30 are flushed, in one segment, with an index entry for each second one or so.
  private func fixture(timestamps: (Int) -> Int64 = { 1_700_000_000_000 + Int64($0) }) throws -> (LogFixture, Offset) {
    let fixture = try LogFixture(LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 200))
    for number in 0..<30 { try fixture.append(makeBatch(1, valueByteCount: 100, timestamp: timestamps(number))) }
    try fixture.log.flush()
    fixture.log.writeCheckpointHints()
    let point = fixture.log.recoveryPoint
    for number in 30..<40 { try fixture.append(makeBatch(1, valueByteCount: 100, timestamp: timestamps(number))) }
    try fixture.log.writePending()
    return (fixture, point)
  }

  private func file(_ fixture: LogFixture) throws -> any File {
    try fixture.fileSystem.open(fixture.directory + "/00000000000000000000.log", .readWrite)
  }

  private func flip(_ fixture: LogFixture, at position: Int64) throws {
    let byte: [UInt8] = [0xee]
    let file = try file(fixture)
    try byte.withUnsafeBytes { try file.write($0, at: position) }
  }

  @Test func onlyWhatIsBehindTheRecoveryPointIsChecked() throws {
    let (fixture, point) = try fixture()
    #expect(point == Offset(30))
    let size = fixture.log.sizeBytes
    try fixture.reopen(.unclean(recoveryPoint: point))
    #expect(fixture.log.logEndOffset == Offset(40))
    #expect(fixture.log.recovered.checkedBytes > size / 5 && fixture.log.recovered.checkedBytes < size / 2)
    #expect(fixture.log.recovered.truncatedBytes == 0)
    for offset: Int64 in 0..<40 {
      let slice = try fixture.log.read(from: Offset(offset), maxBytes: 1, upTo: Offset(40), minOneBatch: true)
      #expect(slice.range != nil, "\(offset)")
    }
    // It goes on like any log, indexes and all.
    try fixture.append(makeBatch(1))
    try fixture.log.flush()
    try fixture.reopen(.clean)
    #expect(fixture.log.logEndOffset == Offset(41))
  }

  /// Producers are known without the batches before the recovery point, and snapshots do not gather.
  @Test func theProducersOfTheRecoveryPointAreKept() throws {
    let fixture = try LogFixture(LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 200))
    for number: Int32 in 0..<12 {
      try fixture.append(makeBatch(1, producerID: 7, producerEpoch: 0, baseSequence: number))
      try fixture.log.flush()
      if number < 10 { fixture.log.writeCheckpointHints() }
    }
    let snapshots = try fixture.log.snapshotOffsets()
    #expect(snapshots == [Offset(9), Offset(10)])
    try fixture.reopen(.unclean(recoveryPoint: Offset(10)))
    #expect(fixture.log.producers.states[ProducerID(7)]?.last?.lastSequence == 11)
    // A snapshot beyond the recovery point is of an end that may have been lost.
    try fixture.reopen(.unclean(recoveryPoint: Offset(9)))
    #expect(fixture.log.producers.states[ProducerID(7)]?.last?.lastSequence == 11)
    #expect(try fixture.log.snapshotOffsets().isEmpty)
  }

  @Test func aTornTailIsCut() throws {
    let (fixture, point) = try fixture()
    let size = fixture.log.sizeBytes
    try file(fixture).truncate(to: size - 10)
    try fixture.reopen(.unclean(recoveryPoint: point))
    #expect(fixture.log.logEndOffset == Offset(39))
    #expect(fixture.log.recovered.truncatedBytes > 0)
  }

  /// What was flushed cannot have been torn: it is damaged, and told so.
  @Test func damageBeforeTheRecoveryPointIsNotTakenForATornTail() throws {
    let (fixture, _) = try fixture()
    let batchSize = fixture.log.sizeBytes / 40
    // A recovery point in the middle of what is walked.
    try flip(fixture, at: batchSize * 33 + 80)
    try fixture.reopen(.unclean(recoveryPoint: Offset(36)))
    #expect(fixture.events.events.contains { if case .truncatedTail = $0 { true } else { false } })
    #expect(
      try fixture.fileSystem.list(fixture.directory).contains { $0.contains(".damaged") }, "nothing is thrown away")
  }

  @Test(arguments: ["index", "timeindex"], [true, false])
  func withoutAnIndexAllIsChecked(kind: String, isGarbage: Bool) throws {
    let (fixture, point) = try fixture()
    let path = fixture.directory + "/00000000000000000000." + kind
    let index = try fixture.fileSystem.open(path, .readWrite)
    let size = try index.size()
    if isGarbage {
      let bytes = [UInt8](repeating: 7, count: Int(size))
      try bytes.withUnsafeBytes { try index.write($0, at: 0) }
    } else {
      try index.truncate(to: 0)
    }
    try fixture.reopen(.unclean(recoveryPoint: point))
    #expect(fixture.log.logEndOffset == Offset(40))
    #expect(fixture.log.recovered.checkedBytes == fixture.log.sizeBytes)
  }

  /// The largest timestamp, and what is found by time, whichever side of the recovery point it lies on.
  @Test(arguments: [3, 28, 29, 30, 35])
  func theLargestTimestampIsKept(number: Int) throws {
    let (fixture, point) = try fixture(timestamps: { $0 == number ? 1_800_000_000_000 : 1_700_000_000_000 + Int64($0) })
    try fixture.reopen(.unclean(recoveryPoint: point))
    #expect(fixture.log.active.maxTimestamp == Timestamp(milliseconds: 1_800_000_000_000))
    #expect(fixture.log.active.offsetOfMaxTimestamp == Offset(Int64(number)))
  }

  /// The entries of the two indexes reach the disk at different times: where those of the time index are behind, the largest
  /// timestamp may lie where only the other one has entries.
  @Test func aTimeIndexThatIsBehindIsNotTheLastWord() throws {
    let (fixture, point) = try fixture(timestamps: { $0 == 15 ? 1_800_000_000_000 : 1_700_000_000_000 + Int64($0) })
    try fixture.fileSystem.open(fixture.directory + "/00000000000000000000.timeindex", .readWrite)
      .truncate(to: Int64(2 * TimeIndexEntry.byteCount))
    try fixture.reopen(.unclean(recoveryPoint: point))
    #expect(fixture.log.active.maxTimestamp == Timestamp(milliseconds: 1_800_000_000_000))
    #expect(fixture.log.active.offsetOfMaxTimestamp == Offset(15))
  }
}
