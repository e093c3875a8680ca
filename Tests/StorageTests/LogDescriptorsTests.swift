import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// A machine that opens no more files, or has no room for small ones: appends fail, and go on when it is over.
@Suite struct LogDescriptorsTests {
  private let config = LogConfig(segmentBytes: 1200, indexIntervalBytes: 150)

  /// Every number of opens that still succeed, at appends of both kinds, rolls, writes and flushes: what was appended
  /// is there afterwards, what failed is not, and nothing is fenced.
  @Test func noAppendThatCannotOpenAFileFencesTheLog() throws {
    for opensLeft in 0..<40 {
      let disk = SimulatedDisk()
      let fixture = try LogFixture(config, fileSystem: disk)
      try fixture.append(makeBatch(1))
      var count: Int64 = 1
      disk.fail(call: opensLeft + 1, errno: 24, isLasting: true, calls: [.open])
      // Whatever was open is closed meanwhile.
      fixture.log.releaseFiles()
      for number in 0..<40 {
        do throws(LogError) {
          try fixture.append(makeBatch(1, valueByteCount: number % 9 == 0 ? 900 : 20), epoch: Int32(number / 8))
          count += 1
        } catch {
          guard case .io = error else {
            Issue.record("\(error)")
            continue
          }
        }
        if number % 3 == 0 { try fixture.log.writePending() }
        if number % 5 == 0 { try? fixture.log.flush() }
        fixture.log.releaseFiles()
        #expect(fixture.log.logEndOffset == Offset(count))
        #expect(!fixture.log.isFenced)
      }
      try fixture.log.writePending()
      disk.heal()
      for _ in 0..<5 {
        try fixture.append(makeBatch(1))
        count += 1
      }
      try fixture.log.flush()
      for recovery in [LogRecoveryMode.unclean, .clean] {
        try fixture.reopen(recovery)
        #expect(fixture.log.recovered.truncatedBytes == 0)
        var scanned: [Int64] = []
        try fixture.log.scan(from: .zero, upTo: Offset(.max)) { header, _ in scanned.append(header.baseOffset.value) }
        #expect(scanned == Array(0..<count), "\(opensLeft) \(recovery)")
      }
    }
  }

  @Test func aFolderThatCannotBeOpenedForItsSyncIsSyncedByTheNextFlush() throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    try fixture.append(makeBatch(1))
    let work = try #require(try fixture.log.beginFlush())
    fixture.log.finishFlush(work, failure: IOError(operation: "fsync", path: work.directories[0], errno: 24))
    #expect(!fixture.log.isFenced)
    #expect(fixture.log.recoveryPoint == .zero)
    let again = try #require(try fixture.log.beginFlush())
    #expect(again.directories == work.directories)
    fixture.log.finishFlush(again, failure: nil)
    #expect(fixture.log.recoveryPoint == Offset(1))
  }

  @Test func indexesThatCannotBeWrittenStayInMemory() throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 0), fileSystem: disk)
    disk.fail(call: 2, effect: .first(5), isLasting: true, calls: [.write], pathPart: "index")
    for number: Int64 in 0..<1000 { try fixture.append(makeBatch(1, timestamp: number)) }
    try fixture.log.writePending()
    for offset: Int64 in [0, 1, 100, 300, 600, 999] {
      #expect(splitBatches(try fixture.read(offset, maxBytes: 1)).first?.header.baseOffset.value == offset)
      let found = try fixture.log.offsetForTimestamp(Timestamp(milliseconds: offset), upTo: Offset(1000))
      #expect(found?.offset.value == offset)
    }
    disk.heal()
    try fixture.reopen(.clean)
    #expect(fixture.log.recovered.rebuiltIndexes == 0)
    #expect(disk.contents(LogFixture.directory + "/00000000000000000000.index")?.count == 999 * 8)
  }

  /// A restart on a full disk: indexes that have to be made anew are used from memory, and nothing keeps the log shut.
  @Test(arguments: [LogRecoveryMode.clean, .unclean]) func aFullDiskKeepsNoLogShut(recovery: LogRecoveryMode) throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    for number: Int64 in 0..<60 { try fixture.append(makeBatch(1, timestamp: number)) }
    try fixture.log.close()
    let indexes = disk.names(in: LogFixture.directory).filter { $0.hasSuffix("index") }
    for name in indexes { try disk.removeFile(LogFixture.directory + "/" + name) }
    disk.fail(call: 1, errno: 28, isLasting: true, calls: [.write])
    let opened = try LogFixture(config, fileSystem: disk, recovery: recovery)
    #expect(opened.log.logEndOffset == Offset(60))
    for offset: Int64 in 0..<60 {
      #expect(splitBatches(try opened.read(offset, maxBytes: 1)).first?.header.baseOffset.value == offset)
      let found = try opened.log.offsetForTimestamp(Timestamp(milliseconds: offset), upTo: Offset(60))
      #expect(found?.offset.value == offset)
    }
    #expect(opened.events.events.contains { if case .ignoredDamagedFile = $0 { true } else { false } })
    // After a stop without order producers are learnt anew, and there is no room to write them down.
    do { try opened.log.close(syncing: false) } catch { #expect(recovery == .unclean) }
    disk.heal()
    let again = try LogFixture(config, fileSystem: disk)
    #expect(again.log.recovered.rebuiltIndexes > 0)
    #expect(again.log.logEndOffset == Offset(60))
    #expect(disk.names(in: LogFixture.directory).filter { $0.hasSuffix("index") } == indexes)
  }
}
