import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// What closing, abandoning and deleting a log does to the disk.
@Suite struct LogCloseTests {
  private let disk = SimulatedDisk()

  @Test func aLogInWhichNothingHappenedIsOnlyLetGo() throws {
    let fixture = try LogFixture(fileSystem: disk)
    for _ in 0..<10 { try fixture.append(makeBatch(1), epoch: 3) }
    try fixture.reopen(.clean)
    #expect(try fixture.log.applyRetention(now: fixture.now, highWatermark: Offset(10)) == 0)
    fixture.log.beginLeaderEpoch(LeaderEpoch(4))
    disk.fail(call: 1, isLasting: true, calls: [.write, .sync, .open])
    try fixture.log.close(syncing: false)
    #expect(fixture.log.recoveryPoint == Offset(10))
    #expect(fixture.log.isFenced)
    disk.heal()
    let opened = try LogFixture(fileSystem: disk)
    #expect(opened.log.logEndOffset == Offset(10))
    #expect(opened.log.recovered == RecoveryReport())
    try opened.append(makeBatch(1))
    try opened.log.close()
    #expect(disk.exists(LogFixture.directory + "/" + LogFileName.name(Offset(11), ".snapshot")))
  }

  @Test func anEmptyNewLogWritesNothingMoreAtItsEnd() throws {
    let fixture = try LogFixture(fileSystem: disk)
    let names = disk.names(in: LogFixture.directory)
    try fixture.log.close(syncing: false)
    #expect(disk.names(in: LogFixture.directory) == names)
    #expect(disk.count(of: .sync) == 0 && disk.count(of: .syncDirectory) == 0)
  }

  @Test func anAbandonedLogWritesNothing() throws {
    let fixture = try LogFixture(fileSystem: disk)
    try fixture.append(makeBatch(1))
    try fixture.log.writePending()
    try fixture.append(makeBatch(1))
    let before = disk.contents(LogFixture.directory + "/00000000000000000000.log")
    let names = disk.names(in: LogFixture.directory)
    disk.fail(call: 1, isLasting: true, calls: [.write, .sync, .open])
    fixture.log.abandon()
    #expect(fixture.log.isFenced)
    #expect(fixture.log.environment.handles.openFiles == 0)
    #expect(throws: LogError.fenced) { try fixture.append(makeBatch(1)) }
    #expect(throws: LogError.fenced) { try fixture.log.writePending() }
    #expect(disk.contents(LogFixture.directory + "/00000000000000000000.log") == before)
    #expect(disk.names(in: LogFixture.directory) == names)
    #expect(!fixture.events.events.contains { if case .fenced = $0 { true } else { false } })
  }

  @Test func aFolderIsMarkedDeletedByItsNameAlone() throws {
    let fixture = try LogFixture(fileSystem: disk)
    try fixture.append(makeBatch(1))
    try fixture.log.writePending()
    let count = disk.names(in: LogFixture.directory).count
    fixture.log.abandon()
    let path = try Log.markDeleted(LogFixture.directory, id: LogFixture.topicID, fileSystem: disk)
    #expect(path.hasPrefix(LogFixture.directory + ".") && LogFileName.isDeletedFolder(path))
    #expect(disk.names(in: path).count == count)
    #expect(!disk.exists(LogFixture.directory))
    #expect(disk.count(of: .sync) == 0 && disk.count(of: .syncDirectory) == 0)
  }

  @Test func aSmallFileThatBecomesShorterKeepsNothingOfTheOldOne() throws {
    let environment = LogEnvironment(fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 2))
    try environment.writeUnsynced("./x", [1, 2, 3, 4])
    try environment.writeUnsynced("./x", [5, 6])
    #expect(disk.contents("./x") == [5, 6])
    try environment.writeUnsynced("./x", [7, 8, 9])
    #expect(disk.contents("./x") == [7, 8, 9])
  }
}
