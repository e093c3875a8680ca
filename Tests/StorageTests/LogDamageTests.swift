import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// Damage before the tail of a log: what lies behind it stays, and can be read.
@Suite struct LogDamageTests {
  typealias Batch = (header: RecordBatchHeader, bytes: [UInt8])

  private let config = LogConfig(segmentBytes: 1200, indexIntervalBytes: 150)

  /// A disk with a log of some segments that was flushed, but not closed; and its batches of two records.
  private func written(batches count: Int = 40) throws -> (SimulatedDisk, [Batch]) {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 0..<count {
      try fixture.append(
        makeBatch(
          2, timestamp: 1000 + Int64(number), producerID: Int64(number % 3), producerEpoch: 0,
          baseSequence: Int32(number / 3 * 2)), epoch: Int32(number / 5))
    }
    try fixture.log.flush()
    var batches: [Batch] = []
    try fixture.log.scan(from: .zero, upTo: fixture.log.logEndOffset) { batches.append(($0, Array($1))) }
    return (disk, batches)
  }

  private func logPaths(_ disk: SimulatedDisk) -> [String] {
    disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log") }.map { LogFixture.directory + "/" + $0 }
  }

  /// Damages the `number`-th batch of the file at `path` with `change`; returns it as it was, and its position.
  @discardableResult
  private func damage(
    _ number: Int, of path: String, on disk: SimulatedDisk, _ change: (inout ArraySlice<UInt8>) -> Void
  ) throws -> (batch: Batch, position: Int) {
    var bytes = try #require(disk.contents(path))
    let batches = splitBatches(bytes)
    let position = batches[..<number].reduce(0) { $0 + $1.bytes.count }
    let range = position..<(position + batches[number].bytes.count)
    change(&bytes[range])
    disk.setContents(path, bytes)
    return (batches[number], position)
  }

  /// Every batch but those of `lost` is read at each of its offsets; of those, each offset is `.corrupt`.
  private func expectAll(_ batches: [Batch], but lost: [Batch], in fixture: LogFixture, _ comment: Comment? = nil)
    throws
  {
    for batch in batches {
      let isLost = lost.contains { $0.header.baseOffset == batch.header.baseOffset }
      for offset in batch.header.baseOffset.value...batch.header.lastOffset.value {
        do throws(LogError) {
          let slice = try fixture.log.read(
            from: Offset(offset), maxBytes: 1 << 20, upTo: fixture.log.logEndOffset, minOneBatch: true)
          let got = splitBatches((try? fixture.bytes(slice)) ?? [])
          #expect(!isLost && got.first?.bytes == batch.bytes, "\(offset): \(comment ?? "")")
          // Nothing damaged is handed out behind it, where the damage is known.
          let isWhole = got.allSatisfy { entry in entry.bytes.withUnsafeBytes { entry.header.checksumMatches($0) } }
          #expect(isWhole || lost.isEmpty)
        } catch {
          guard case .corrupt = error, isLost else {
            Issue.record("\(offset): \(error) \(comment ?? "")")
            continue
          }
        }
      }
    }
  }

  private static let damages: [@Sendable (inout ArraySlice<UInt8>) -> Void] = [
    { $0[$0.endIndex - 3] ^= 4 },
    { $0[$0.startIndex + 20] ^= 1 },
    { $0[$0.startIndex + 9] = 0x77 },
    { $0[$0.startIndex + 16] = 1 },
    { slice in for place in slice.indices { slice[place] = 0 } },
  ]

  @Test(arguments: 0..<5, [0, 2, 7]) func whatLiesBehindDamageStays(kind: Int, number: Int) throws {
    let (disk, batches) = try written()
    let paths = logPaths(disk)
    #expect(paths.count > 3)
    let before = paths.map { disk.contents($0)?.count }
    let (lost, position) = try damage(number, of: paths[1], on: disk, Self.damages[kind])
    let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    #expect(fixture.log.logEndOffset.value == Int64(batches.count * 2))
    #expect(logPaths(disk) == paths)
    #expect(paths.map { disk.contents($0)?.count } == before)
    #expect(fixture.log.recovered.damagedBatches == 1)
    #expect(fixture.log.recovered.truncatedBytes == 0)
    let reported = fixture.events.events.compactMap {
      if case .damagedBatch(_, let path, let position, _, _) = $0 { (path, position) } else { nil }
    }
    #expect(reported.count == 1 && reported[0] == (paths[1], Int64(position)))
    try expectAll(batches, but: [lost], in: fixture)
    #expect(throws: LogError.self) {
      try fixture.log.scan(from: .zero, upTo: fixture.log.logEndOffset) { header, _ in
        #expect(header.baseOffset < lost.header.baseOffset)
      }
    }
    var scanned = 0
    try fixture.log.scan(from: lost.header.nextOffset, upTo: fixture.log.logEndOffset) { _, _ in scanned += 1 }
    #expect(scanned == batches.count - Int(lost.header.nextOffset.value / 2))
    let found = try fixture.log.offsetForTimestamp(
      Timestamp(milliseconds: 1000 + lost.header.baseOffset.value / 2), upTo: fixture.log.logEndOffset)
    #expect(found != nil)
    // Producers and epochs behind the damage are known.
    #expect(fixture.log.leaderEpochs.latest == LeaderEpoch(7))
    let repeated = makeBatch(2, producerID: 0, producerEpoch: 0, baseSequence: 26)
    let header = try #require(repeated.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    guard case .duplicate = fixture.log.producers.check(header) else {
      Issue.record("\(fixture.log.producers.check(header))")
      return
    }
    // A start that trusts the files still finds all but the damage; of that it knows what its header says.
    try fixture.append(makeBatch(1))
    try fixture.reopen(.clean)
    try expectAll(batches.filter { $0.header.baseOffset != lost.header.baseOffset }, but: [], in: fixture, "clean")
  }

  @Test func severalDamagesInOneSegment() throws {
    let (disk, batches) = try written()
    let path = logPaths(disk)[1]
    let lost = try [1, 3, 4, 7].map { try damage($0, of: path, on: disk, Self.damages[0]).batch }
    let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    try expectAll(batches, but: lost, in: fixture)
    try fixture.log.truncate(to: lost[3].header.baseOffset, now: fixture.now)
    try fixture.append(makeBatch(1))
    try fixture.log.writePending()
    #expect(try !fixture.read(fixture.log.logEndOffset.value - 1).isEmpty)
  }

  @Test func anyFlippedBitCostsOneBatchAtMost() throws {
    let (disk, batches) = try written()
    var random = SeededGenerator(7)
    let paths = logPaths(disk)
    for _ in 0..<200 {
      let damaged = disk.copy()
      let path = paths[Int.random(in: 0..<(paths.count - 1), using: &random)]
      let entries = splitBatches(try #require(damaged.contents(path)))
      let number = Int.random(in: 0..<entries.count, using: &random)
      // Base offset and leader epoch are outside the checksum.
      let place = Int.random(in: 16..<entries[number].bytes.count, using: &random)
      let (lost, _) = try damage(number, of: path, on: damaged) {
        $0[$0.startIndex + place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      let fixture = try LogFixture(config, fileSystem: damaged, recovery: .unclean)
      try expectAll(batches, but: [lost], in: fixture)
    }
  }

  @Test func goodBatchesCutOffTheTailAreKeptBeside() throws {
    let (disk, batches) = try written()
    let path = try #require(logPaths(disk).last)
    let bytes = try #require(disk.contents(path))
    for damages in [[], [1]] {
      let disk = disk.copy()
      let count = splitBatches(bytes).count
      #expect(count > 2)
      let number = damages.first ?? count - 1
      let (lost, position) = try damage(number, of: path, on: disk, Self.damages[0])
      let cut = Array(try #require(disk.contents(path))[position...])
      let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean)
      #expect(fixture.log.logEndOffset == lost.header.baseOffset)
      #expect(fixture.log.recovered.truncatedBytes == Int64(cut.count))
      let copyPath = path + ".damaged-\(position)"
      #expect(disk.contents(copyPath) == (damages.isEmpty ? nil : cut))
      #expect(
        fixture.events.events.contains(
          .keptDamagedBytes(fixture.log.topicPartition, path: copyPath, byteCount: Int64(cut.count)))
          == !damages.isEmpty)
      #expect(disk.isOnDisk(copyPath, byteCount: cut.count))
      try expectAll(batches.filter { $0.header.baseOffset < lost.header.baseOffset }, but: [], in: fixture)
      // The next start leaves the copy alone.
      try fixture.reopen(.unclean)
      #expect(disk.contents(copyPath) == (damages.isEmpty ? nil : cut))
      #expect(fixture.log.recovered.truncatedBytes == 0)
    }
  }

  @Test func aTailBeforeAnEmptySegmentIsCut() throws {
    let (disk, batches) = try written()
    let path = try #require(logPaths(disk).last)
    let bytes = try #require(disk.contents(path))
    let next = LogFixture.directory + "/" + LogFileName.name(Offset(Int64(batches.count * 2)), ".log")
    for lostByteCount in [7, splitBatches(bytes).last?.bytes.count ?? 0] {
      let disk = disk.copy()
      disk.setContents(path, bytes.dropLast(lostByteCount))
      disk.setContents(next, [])
      let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean)
      #expect(fixture.log.logEndOffset.value == Int64(batches.count * 2 - 2))
      #expect(!disk.exists(next))
      #expect(try fixture.append(makeBatch(1)).baseOffset.value == Int64(batches.count * 2 - 2))
    }
  }

  @Test func onlyWhatMayBeUnflushedIsChecked() throws {
    let (disk, batches) = try written()
    let paths = logPaths(disk)
    try damage(2, of: paths[1], on: disk, Self.damages[0])
    let tail = Int64(try #require(disk.contents(paths[paths.count - 1])).count)
    let fixture = try LogFixture(
      config, fileSystem: disk, recovery: .unclean(recoveryPoint: Offset(Int64(batches.count * 2))))
    #expect(fixture.log.recovered.checkedBytes == tail)
    #expect(fixture.log.recovered.damagedBatches == 0)
    #expect(fixture.log.logEndOffset.value == Int64(batches.count * 2))
  }

  @Test(arguments: [LogRecoveryMode.clean, .unclean]) func aHoleIsReportedAndReadsGoOnBehindIt(
    recovery: LogRecoveryMode
  ) throws {
    let (disk, batches) = try written()
    if recovery == .clean { try LogFixture(config, fileSystem: disk, recovery: .unclean).log.close() }
    let paths = logPaths(disk)
    let lost = splitBatches(try #require(disk.contents(paths[1])))
    disk.setContents(paths[1], [])
    let fixture = try LogFixture(config, fileSystem: disk, recovery: recovery)
    #expect(logPaths(disk) == paths)
    #expect(fixture.log.logEndOffset.value == Int64(batches.count * 2))
    let first = try #require(lost.first?.header.baseOffset)
    let next = try #require(lost.last?.header.nextOffset)
    #expect(
      fixture.events.events.contains(
        .missingOffsets(fixture.log.topicPartition, path: paths[1], from: first, to: next)))
    for offset in first.value..<next.value {
      #expect(splitBatches(try fixture.read(offset)).first?.header.baseOffset == next)
    }
    try expectAll(batches.filter { $0.header.baseOffset < first || $0.header.baseOffset >= next }, but: [], in: fixture)
    var scanned = 0
    try fixture.log.scan(from: .zero, upTo: fixture.log.logEndOffset) { _, _ in scanned += 1 }
    #expect(scanned == batches.count - lost.count)
  }

  @Test func aSegmentThatLostItsLastBatchKeepsThoseBehindIt() throws {
    let (disk, batches) = try written()
    let paths = logPaths(disk)
    let bytes = try #require(disk.contents(paths[1]))
    let lost = try #require(splitBatches(bytes).last)
    disk.setContents(paths[1], bytes.dropLast(lost.bytes.count))
    let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    #expect(logPaths(disk) == paths)
    #expect(
      fixture.events.events.contains(
        .missingOffsets(
          fixture.log.topicPartition, path: paths[1], from: lost.header.baseOffset, to: lost.header.nextOffset)))
    try expectAll(batches.filter { $0.header.baseOffset != lost.header.baseOffset }, but: [], in: fixture)
    disk.setContents(paths[1], bytes.dropLast(10))
    let torn = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    try expectAll(batches, but: [lost], in: torn)
    #expect(torn.log.logEndOffset.value == Int64(batches.count * 2))
  }

  /// A producer whose unacknowledged batch is gone sends it again: the snapshot made behind it must not call it a
  /// duplicate.
  @Test func aLostBatchIsNoDuplicateWhenItIsSentAgain() throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    let lost = makeBatch(2, producerID: 9, producerEpoch: 0, baseSequence: 0)
    for number in 0..<40 { try fixture.append(number == 8 ? lost : makeBatch(2)) }
    try fixture.log.flush()
    let path = logPaths(disk)[0]
    let entries = splitBatches(try #require(disk.contents(path)))
    let number = try #require(entries.firstIndex { $0.header.producerID.value == 9 })
    try damage(number, of: path, on: disk, Self.damages[4])
    let opened = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    let header = try #require(lost.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    guard case .append = opened.log.producers.check(header) else {
      Issue.record("\(opened.log.producers.check(header))")
      return
    }
  }

  @Test func theRecoveryPointIsTheEndAfterACleanCloseAndStaysAtARoll() throws {
    let fixture = try LogFixture(config)
    for _ in 0..<30 { try fixture.append(makeBatch(2)) }
    try fixture.log.writePending()
    #expect(fixture.log.segmentCount > 2)
    #expect(fixture.log.recoveryPoint == .zero)
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(60))
    for _ in 0..<30 { try fixture.append(makeBatch(2)) }
    try fixture.log.writePending()
    #expect(fixture.log.recoveryPoint == Offset(60))
    try fixture.log.close(syncing: false)
    #expect(fixture.log.recoveryPoint == Offset(120))

  }
}
