import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// The bytes and names on disk, as Kafka has them.
@Suite struct LogFilesTests {
  @Test func namesAndBytesAreKafkas() throws {
    let disk = SimulatedDisk()
    let batch = makeBatch(2)
    let config = LogConfig(segmentBytes: batch.count * 3, indexIntervalBytes: 10)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number: Int64 in 0..<4 { try fixture.append(makeBatch(2, timestamp: 1000 * (number + 1)), epoch: 5) }
    try fixture.log.close()
    let directory = LogFixture.directory + "/"
    #expect(
      disk.names(in: LogFixture.directory) == [
        "00000000000000000000.index", "00000000000000000000.log", "00000000000000000000.timeindex",
        "00000000000000000006.index", "00000000000000000006.log", "00000000000000000006.snapshot",
        "00000000000000000006.timeindex", "00000000000000000008.snapshot", "append-time-checkpoint",
        "leader-epoch-checkpoint", "partition.metadata",
      ])
    // The first batch needs no entry; of each other, last offset and position.
    let size = UInt8(batch.count)
    #expect(
      disk.contents(directory + "00000000000000000000.index") == [
        0, 0, 0, 3, 0, 0, 0, size, 0, 0, 0, 5, 0, 0, 0, size * 2,
      ])
    #expect(
      disk.contents(directory + "00000000000000000000.timeindex") == [
        0, 0, 0, 0, 0, 0, 0x07, 0xd1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0x0b, 0xb9, 0, 0, 0, 5,
      ])
    #expect(
      disk.contents(directory + "00000000000000000006.timeindex") == [0, 0, 0, 0, 0, 0, 0x0f, 0xa1, 0, 0, 0, 1])
    #expect(disk.contents(directory + "leader-epoch-checkpoint") == Array("0\n1\n5 0\n".utf8))
    #expect(
      disk.contents(directory + "partition.metadata") == Array("version: 0\ntopic_id: \(LogFixture.topicID)".utf8))
    let log = splitBatches(try #require(disk.contents(directory + "00000000000000000000.log")))
    #expect(log.map(\.header.baseOffset.value) == [0, 2, 4])
    #expect(log.allSatisfy { $0.header.partitionLeaderEpoch == LeaderEpoch(5) })
    #expect(log.allSatisfy { entry in entry.bytes.withUnsafeBytes { entry.header.checksumMatches($0) } })
  }

  @Test func foldersAreNamedForTheirPartition() {
    #expect(LogFileName.topicPartition(ofFolder: "a-b-12") == TopicPartition("a-b", 12))
    for name in ["a", "-1", "a-", "a-01", "a-+1", "a--1x", "a-1.0123-delete", "a-2147483648"] {
      #expect(LogFileName.topicPartition(ofFolder: name) == nil)
    }
    #expect(LogFileName.isDeletedFolder("a-1.00010203040546078809\u{30}a0b0c0d0e0f-delete"))
    #expect(!LogFileName.isDeletedFolder("a-1"))
  }

  @Test func checkpointsAreKafkas() throws {
    let disk = SimulatedDisk()
    let checkpoint = OffsetCheckpoint(.recoveryPoint, logDirectory: ".", fileSystem: disk)
    #expect(try checkpoint.read().isEmpty)
    let offsets = [
      TopicPartition("b", 2): Offset(7), TopicPartition("b", 10): Offset(1 << 40), TopicPartition("a", 0): .zero,
    ]
    try checkpoint.write(offsets)
    #expect(
      disk.contents("./recovery-point-offset-checkpoint") == Array("0\n3\na 0 0\nb 2 7\nb 10 1099511627776\n".utf8))
    #expect(try checkpoint.read() == offsets)
    for text in ["", "1\n0\n", "0\n2\na 0 0\n", "0\n1\na 0\n", "0\n1\na 0 x\n", "0\nx\n"] {
      disk.setContents("./recovery-point-offset-checkpoint", Array(text.utf8))
      #expect(try checkpoint.read().isEmpty)
    }
  }

  @Test func theCleanShutdownMarkerIsReadBack() throws {
    let disk = SimulatedDisk()
    #expect(try CleanShutdownMarker.read(logDirectory: ".", fileSystem: disk) == nil)
    try CleanShutdownMarker(brokerEpoch: 42).write(logDirectory: ".", fileSystem: disk)
    #expect(disk.contents("./.kafka_cleanshutdown") == Array("{\"version\":0,\"brokerEpoch\":42}".utf8))
    #expect(try CleanShutdownMarker.read(logDirectory: ".", fileSystem: disk)?.brokerEpoch == 42)
    disk.setContents("./.kafka_cleanshutdown", [])
    #expect(try CleanShutdownMarker.read(logDirectory: ".", fileSystem: disk)?.brokerEpoch == -1)
    try CleanShutdownMarker.remove(logDirectory: ".", fileSystem: disk)
    #expect(try CleanShutdownMarker.read(logDirectory: ".", fileSystem: disk) == nil)
  }

  @Test func aRealDiskDoesTheSame() throws {
    let disk = PosixFileSystem()
    let folder = PosixFileSystem.temporaryDirectory()
    defer { try? disk.removeDirectory(folder) }
    let fixture = try LogFixture(fileSystem: disk, directory: folder + "/t-0")
    for number: Int64 in 0..<200 { try fixture.append(makeBatch(2, timestamp: number)) }
    try fixture.append(makeBatch(1, valueByteCount: 3000))
    try fixture.log.flush()
    for recovery in [LogRecoveryMode.clean, .unclean] {
      try fixture.reopen(recovery)
      #expect(fixture.log.logEndOffset == Offset(401))
      var count = 0
      try fixture.log.scan(from: .zero, upTo: Offset(401)) { header, _ in count += Int(header.recordCount) }
      #expect(count == 401)
    }
  }

  /// What a flush has to sync: without the folder's own name in its parent, a synced file can vanish.
  @Test func theFirstFlushSyncsTheFolderAndItsName() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let fixture = try LogFixture(fileSystem: disk)
    #expect(disk.count(of: .sync) == 0 && disk.count(of: .syncDirectory) == 0)
    try fixture.append(makeBatch(1))
    try fixture.log.flush()
    let left = disk.afterPowerCut(data: .lost, names: .lost)
    for name in ["partition.metadata", "leader-epoch-checkpoint", "00000000000000000000.log"] {
      let path = LogFixture.directory + "/" + name
      #expect(left.contents(path) == disk.contents(path) && left.contents(path)?.isEmpty == false, "\(name)")
    }
    // The file, the terms and the metadata; the folder and the one above it.
    #expect(disk.count(of: .sync) == 3 && disk.count(of: .syncDirectory) == 2)
    try fixture.append(makeBatch(1))
    try fixture.log.flush()
    #expect(disk.count(of: .sync) == 4 && disk.count(of: .syncDirectory) == 2)
  }
}
