import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// What a stopped machine leaves, cut and damaged in every way: the log that opens is a prefix of what was written.
@Suite struct LogRecoveryTests {
  /// A disk with a log of some segments that was flushed, but not closed; and its batches.
  private func written(batches count: Int = 24) throws -> (
    SimulatedDisk, [(header: RecordBatchHeader, bytes: [UInt8])]
  ) {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(LogConfig(segmentBytes: 1200, indexIntervalBytes: 150), fileSystem: disk)
    for number in 0..<count {
      try fixture.append(
        makeBatch(
          2, timestamp: 1000 + Int64(number), producerID: Int64(number % 3), producerEpoch: 0,
          baseSequence: Int32(number / 3 * 2)), epoch: Int32(number / 5))
    }
    try fixture.log.flush()
    return (disk, try contents(fixture.log))
  }

  private func contents(_ log: Log) throws -> [(header: RecordBatchHeader, bytes: [UInt8])] {
    var batches: [(header: RecordBatchHeader, bytes: [UInt8])] = []
    try log.scan(from: log.logStartOffset, upTo: log.logEndOffset) { header, batch in
      batches.append((header, Array(batch)))
    }
    return batches
  }

  private let config = LogConfig(segmentBytes: 1200, indexIntervalBytes: 150)

  private func open(_ disk: SimulatedDisk, _ recovery: LogRecoveryMode) throws -> LogFixture {
    let fixture = try LogFixture(config, fileSystem: disk, recovery: .unclean(recoveryPoint: Offset(.max)))
    fixture.log.releaseFiles()
    return try LogFixture(config, fileSystem: disk, recovery: recovery)
  }

  private func lastLogPath(_ disk: SimulatedDisk) -> String {
    LogFixture.directory + "/" + (disk.names(in: LogFixture.directory).last { $0.hasSuffix(".log") } ?? "")
  }

  @Test func zeroIsKnowledgeAndNothingIsNot() {
    #expect(LogRecoveryMode.unclean(recoveryPoint: nil) == .unclean)
    #expect(LogRecoveryMode.unclean(recoveryPoint: Offset(-3)) == .unclean)
    #expect(LogRecoveryMode.unclean(recoveryPoint: .zero) != .unclean)
    #expect(LogRecoveryMode.unclean(recoveryPoint: .zero).tornFrom == .zero)
  }

  @Test func aTailTornAtAnyByteIsCut() throws {
    let (disk, batches) = try written()
    let path = lastLogPath(disk)
    let bytes = try #require(disk.contents(path))
    let before = batches.count - splitBatches(bytes).count
    for size in 0..<bytes.count {
      let torn = disk.copy()
      torn.setContents(path, Array(bytes[..<size]))
      let fixture = try LogFixture(config, fileSystem: torn, recovery: .unclean)
      let whole = splitBatches(Array(bytes[..<size]))
      let kept = try contents(fixture.log)
      #expect(kept.map(\.bytes) == batches[..<(before + whole.count)].map(\.bytes))
      let good = whole.reduce(0) { $0 + $1.bytes.count }
      #expect(fixture.log.recovered.truncatedBytes == Int64(size - good))
      #expect(torn.contents(path)?.count == good)
      // The producers are those of what is left, and the next append goes on.
      let next = try fixture.append(makeBatch(1)).baseOffset
      #expect(next.value == Int64(kept.count * 2))
    }
  }

  @Test func aTornTailIsCutEvenWhenTheStopWasCalledClean() throws {
    let (disk, batches) = try written()
    let path = lastLogPath(disk)
    let bytes = try #require(disk.contents(path))
    disk.setContents(path, bytes.dropLast(7))
    let fixture = try LogFixture(config, fileSystem: disk, recovery: .clean)
    #expect(try contents(fixture.log).map(\.bytes) == batches.dropLast().map(\.bytes))
  }

  /// Every hint is missing, empty, cut, random or of another time: the log stays what it is.
  @Test(arguments: [LogRecoveryMode.clean, .unclean]) func hintsMayBeDamaged(recovery: LogRecoveryMode) throws {
    let (disk, batches) = try written()
    let closed = try LogFixture(config, fileSystem: disk, recovery: .unclean)
    try closed.log.close()
    let epochs = closed.log.leaderEpochs
    let hints = disk.names(in: LogFixture.directory).filter { !$0.hasSuffix(".log") && $0 != "partition.metadata" }
    #expect(hints.count > 8)
    var random = SeededGenerator(3)
    for name in hints {
      for damage in 0..<6 {
        let damaged = disk.copy()
        let path = LogFixture.directory + "/" + name
        let bytes = try #require(damaged.contents(path))
        switch damage {
        case 0: try damaged.removeFile(path)
        case 1: damaged.setContents(path, [])
        case 2: damaged.setContents(path, Array(bytes.dropLast(min(bytes.count, 3))))
        case 3: damaged.setContents(path, bytes.map { _ in UInt8.random(in: 0...255, using: &random) })
        case 4: damaged.setContents(path, bytes.map { _ in 0 })
        default: damaged.setContents(path, bytes + bytes)
        }
        let fixture = try LogFixture(config, fileSystem: damaged, recovery: recovery)
        #expect(try contents(fixture.log).map(\.bytes) == batches.map(\.bytes), "\(name) \(damage)")
        #expect(fixture.log.leaderEpochs == epochs, "\(name) \(damage)")
        for number in 0..<3 {
          let repeated = makeBatch(2, producerID: Int64(number), producerEpoch: 0, baseSequence: 14)
          let header = try #require(repeated.withUnsafeBytes { RecordBatchHeader(reading: $0) })
          let verdict = fixture.log.producers.check(header)
          guard case .duplicate(let base, _) = verdict else {
            Issue.record("\(name) \(damage): \(verdict)")
            continue
          }
          #expect(base.value == Int64((21 + number) * 2))
        }
        for batch in batches { #expect(try fixture.read(batch.header.lastOffset.value).starts(with: batch.bytes)) }
      }
    }
  }

  @Test func aFolderOfAnotherTopicIsRefused() throws {
    let (disk, _) = try written()
    disk.setContents(
      LogFixture.directory + "/partition.metadata", Array("version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw".utf8))
    #expect(throws: IOError.self) { try LogFixture(config, fileSystem: disk) }
  }

  @Test func aFailedWriteFencesTheLogUntilItIsOpenedAgain() throws {
    for torn in [0, 1, 30, 90] {
      let disk = SimulatedDisk()
      let fixture = try LogFixture(config, fileSystem: disk)
      try fixture.append(makeBatch(1))
      try fixture.log.writePending()
      disk.fail(call: 1, effect: .first(torn), isLasting: true, calls: [.write])
      try fixture.append(makeBatch(1))
      try fixture.append(makeBatch(1))
      #expect(
        throws: LogError.io(
          IOError(operation: "write", path: LogFixture.directory + "/00000000000000000000.log", errno: 5))
      ) {
        try fixture.log.writePending()
      }
      #expect(fixture.log.logEndOffset == Offset(1))
      #expect(throws: LogError.fenced) { try fixture.append(makeBatch(1)) }
      #expect(throws: LogError.fenced) { try fixture.log.flush() }
      #expect(splitBatches(try fixture.read(0)).count == 1)
      #expect(throws: LogError.fenced) { try fixture.log.close() }
      disk.heal()
      let opened = try LogFixture(config, fileSystem: disk, recovery: .unclean)
      // What reached the file whole may stay: it was never acknowledged, and is a valid batch.
      #expect(opened.log.logEndOffset.value == (torn >= makeBatch(1).count ? 2 : 1))
    }
  }

  @Test func aFailedSyncFencesTheLogAndIsNotTriedAgain() throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    try fixture.append(makeBatch(1))
    disk.fail(call: 1, isLasting: true, calls: [.sync])
    #expect(throws: LogError.self) { try fixture.log.flush() }
    disk.heal()
    #expect(throws: LogError.fenced) { try fixture.log.flush() }
    #expect(fixture.log.recoveryPoint == .zero)
  }

  /// The n-th write of a run fails, torn, for every n: the log refuses from then on, and what opens again is a prefix of
  /// what was appended with everything in it that was flushed.
  @Test func everyWriteMayFail() throws {
    var isThrough = false
    for count in 0..<400 where !isThrough {
      let disk = SimulatedDisk()
      let fixture = try LogFixture(config, fileSystem: disk)
      disk.fail(call: count + 1, effect: .first(count % 100), isLasting: true, calls: [.write])
      var appended: [[UInt8]] = []
      var flushedCount = 0
      do throws(LogError) {
        for number in 0..<30 {
          let batch = makeBatch(2, valueByteCount: number % 7 == 0 ? 300 : 20, timestamp: 1000 + Int64(number))
          try fixture.append(batch, epoch: Int32(number / 6))
          appended.append(batch)
          if number % 3 == 0 { try fixture.log.writePending() }
          if number % 10 == 9 {
            try fixture.log.flush()
            flushedCount = appended.count
          }
        }
        try fixture.log.close()
        flushedCount = appended.count
        isThrough = true
      } catch {
        // A roll or a flush that cannot write its small files may be tried again.
        if fixture.log.isFenced { #expect(throws: LogError.fenced) { try fixture.append(makeBatch(1)) } }
        fixture.log.releaseFiles()
      }
      disk.heal()
      let opened = try LogFixture(config, fileSystem: disk, recovery: isThrough ? .clean : .unclean)
      let kept = try contents(opened.log).map(\.bytes)
      #expect(kept.count >= flushedCount)
      #expect(zip(kept, appended).allSatisfy { $0[16...] == $1[16...] } && kept.count <= appended.count + 1, "\(count)")
      #expect(try opened.append(makeBatch(1)).baseOffset.value == Int64(kept.count * 2))
    }
    #expect(isThrough)
  }

  /// Entries that are well formed and wrong: they are checked against the log before they are believed.
  @Test func indexesThatLieAreNotBelieved() throws {
    let disk = SimulatedDisk()
    let config = LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 0)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number: Int64 in 0..<100 { try fixture.append(makeBatch(2, timestamp: 10 * number)) }
    try fixture.log.close()
    let base = LogFixture.directory + "/00000000000000000000"
    var offsets = try #require(disk.contents(base + ".index"))
    for entry in 10..<60 {
      offsets.replaceSubrange((entry * 8 + 4)..<(entry * 8 + 8), with: offsets[(62 * 8 + 4)..<(62 * 8 + 8)])
    }
    disk.setContents(base + ".index", offsets)
    var times = try #require(disk.contents(base + ".timeindex"))
    for entry in 10..<60 {
      times.replaceSubrange((entry * 12 + 8)..<(entry * 12 + 12), with: times[(62 * 12 + 8)..<(62 * 12 + 12)])
    }
    disk.setContents(base + ".timeindex", times)
    let opened = try LogFixture(config, fileSystem: disk)
    for offset: Int64 in 0..<200 {
      #expect(splitBatches(try opened.read(offset, maxBytes: 200)).first?.header.baseOffset.value == offset / 2 * 2)
      let found = try opened.log.offsetForTimestamp(Timestamp(milliseconds: 5 * offset), upTo: Offset(200))
      #expect(found?.offset.value == (offset + 1) / 2 * 2 || offset == 199)
    }
  }

  /// Entries that make no sense at all: negative, far beyond the file, out of order. Every offset and time is found, the
  /// damage is told once, and the indexes are whole again.
  @Test(arguments: [-1, Int32.min, Int32.max, 7]) func indexesThatMakeNoSenseAreMadeAnew(value: Int32) throws {
    let disk = SimulatedDisk()
    let config = LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 0)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number: Int64 in 0..<100 { try fixture.append(makeBatch(2, timestamp: 10 * number)) }
    try fixture.log.close()
    let base = LogFixture.directory + "/00000000000000000000"
    let names = [base + ".index", base + ".timeindex"]
    let sound = try names.map { try #require(disk.contents($0)) }
    for (kind, size, place) in [(0, 8, 4), (0, 8, 0), (1, 12, 8), (1, 12, 4), (1, 12, 0)] {
      var bytes = sound[kind]
      for entry in 10..<60 {
        withUnsafeBytes(of: value.bigEndian) {
          bytes.replaceSubrange((entry * size + place)..<(entry * size + place + 4), with: $0)
        }
      }
      disk.setContents(names[kind], bytes)
      let opened = try LogFixture(config, fileSystem: disk)
      for offset: Int64 in 0..<200 {
        #expect(splitBatches(try opened.read(offset, maxBytes: 1)).first?.header.baseOffset.value == offset / 2 * 2)
        let found = try opened.log.offsetForTimestamp(Timestamp(milliseconds: 5 * offset), upTo: Offset(200))
        #expect(found?.offset.value == (offset + 1) / 2 * 2 || offset == 199)
      }
      let rebuilt = opened.events.events.count { if case .rebuiltIndexes = $0 { true } else { false } }
      // A key that is wrong may be passed by, and then nothing was missed.
      #expect(rebuilt == 1 || (rebuilt == 0 && place != size - 4))
      if rebuilt == 1 { #expect(names.map { disk.contents($0) } == sound) }
      for (name, bytes) in zip(names, sound) { disk.setContents(name, bytes) }
    }
  }

  /// Files of any bytes: whatever a log makes of them, it does not trap and does not loop.
  @Test func anyBytesMayBeInTheFiles() throws {
    var random = SeededGenerator(11)
    let extremes: [UInt64] = [0, 1, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max]
    for round in 0..<400 {
      let disk = SimulatedDisk()
      try disk.createDirectory(LogFixture.directory)
      let base = LogFixture.directory + "/" + LogFileName.name(Offset(round % 3 == 0 ? .max - 5 : Int64(round % 3)), "")
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &random) { bytes += makeBatch(Int.random(in: 1...3, using: &random)) }
      for _ in 0..<Int.random(in: 0...4, using: &random) where bytes.count > 8 {
        let value = extremes.randomElement(using: &random) ?? 0
        let width = [1, 2, 4, 8].randomElement(using: &random) ?? 8
        let position =
          [0, 8, 12, 16, 23, 27, 35, 43, 51, 53, 57, Int.random(in: 0..<(bytes.count - 8), using: &random)]
          .randomElement(using: &random) ?? 0
        withUnsafeBytes(of: value.littleEndian) {
          bytes.replaceSubrange(position..<(position + width), with: $0[..<width])
        }
      }
      disk.setContents(base + ".log", bytes)
      for suffix in [".index", ".timeindex", ".snapshot"] where Bool.random(using: &random) {
        let count = Int.random(in: 0...9, using: &random) * 12
        disk.setContents(base + suffix, (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) & 0x8f })
      }
      let fixture = try LogFixture(config, fileSystem: disk, recovery: round % 2 == 0 ? .clean : .unclean)
      let (start, end) = (fixture.log.logStartOffset, fixture.log.logEndOffset)
      for offset in [start, end, start.advanced(by: 1), Offset(.max), Offset(.min), .zero] {
        _ = try? fixture.log.read(from: offset, maxBytes: 100, upTo: end, minOneBatch: true)
        _ = try? fixture.log.scan(from: offset, upTo: end) { _, _ in }
        for timestamp in [Int64.min, -1, 0, 1_700_000_000_000, .max] {
          _ = try? fixture.log.offsetForTimestamp(Timestamp(milliseconds: timestamp), upTo: end)
        }
      }
      _ = try? fixture.log.offsetOfMaxTimestamp(upTo: end)
      _ = try? fixture.log.applyRetention(now: fixture.now, highWatermark: end)
      if end.value < .max - 10 { _ = try? fixture.append(makeBatch(1)) }
      try? fixture.log.truncate(to: start.advanced(by: 1), now: fixture.now)
      try? fixture.log.close()
    }
  }
}
