import Primitives
import Records
import Simulation
import Testing

@testable import Storage

/// Damage that another replica's batches make whole.
@Suite struct LogRepairTests {
  @Test func anyFlippedBitsAreMadeWhole() throws {
    var random = SeededGenerator(11)
    for round in 0..<60 {
      let fixture = try RepairFixture { disk in
        let paths = RepairFixture.paths(disk)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let path = paths[Int.random(in: 0..<(paths.count - 1), using: &random)]
          try RepairFixture.change(path, disk) { bytes in
            // Offset and term of a batch are outside its checksum.
            let batch = bytes.count / 2 / 117 * 117
            bytes[min(bytes.count - 1, batch + Int.random(in: 16..<117, using: &random))] ^= 1 << UInt8(round % 8)
          }
        }
      }
      try fixture.repairAll()
      try fixture.expectWhole("round \(round)")
      try fixture.own.reopen(.clean)
      try fixture.expectWhole("round \(round), opened again")
      #expect(fixture.own.log.damagedPlace == nil)
    }
  }

  @Test func whatIsFoundWhileTheLogIsInUseIsMadeWhole() throws {
    let fixture = try RepairFixture()
    let path = RepairFixture.paths(try fixture.disk)[1]
    try RepairFixture.change(path, try fixture.disk) { $0[200] ^= 1 }
    let next = try #require(fixture.own.log.scrubWork(after: .zero))
    let outcome = next.work.run(fixture.own.fileSystem, throttle: { _ in }, mustStop: { false })
    let lost = try #require(try fixture.own.log.finishScrub(next.work, outcome))
    #expect(fixture.own.log.isKnownDamage(at: lost.lowerBound))
    #expect(try fixture.repairAll() == [lost])
    #expect(!fixture.own.log.isKnownDamage(at: lost.lowerBound))
    try fixture.expectWhole()
  }

  @Test(arguments: [0, 1, 100, 130]) func aSegmentThatWasCutShortGetsItsEndBack(kept: Int) throws {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[1], disk) { $0.removeSubrange(kept...) }
    }
    #expect(fixture.own.log.damagedPlace != nil)
    try fixture.repairAll()
    try fixture.expectWhole()
    try fixture.own.reopen(.clean)
    try fixture.expectWhole("opened again")
  }

  @Test func aSegmentThatIsGoneGoesIntoTheOneBefore() throws {
    let fixture = try RepairFixture { disk in try disk.removeFile(RepairFixture.paths(disk)[2]) }
    let place = try #require(fixture.own.log.damagedPlace)
    #expect(place.byteCount == 0 && fixture.own.log.isMissing(place.offsets.lowerBound))
    try fixture.repairAll()
    for batch in fixture.batches {
      #expect(splitBatches(try fixture.own.read(batch.header.lastOffset.value)).first?.bytes == batch.bytes)
    }
    #expect(!fixture.own.log.isMissing(place.offsets.lowerBound))
  }

  @Test func garbageBehindASegmentGoes() throws {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[1], disk) { bytes in
        bytes.removeLast(30)
        bytes += [UInt8](repeating: 7, count: 500)
      }
    }
    try fixture.repairAll()
    try fixture.expectWhole()
  }

  @Test func aLargePlaceIsFilledInParts() throws {
    let fixture = try RepairFixture(LogConfig(segmentBytes: 8 << 20, indexIntervalBytes: 4096))
    let large = makeBatch(1, valueByteCount: 1 << 20)
    for log in [fixture.other, fixture.own] {
      for _ in 0..<12 { try log.append(large, epoch: 8) }
      try log.log.flush()
    }
    let disk = try fixture.disk
    let path = RepairFixture.paths(disk)[1]
    try RepairFixture.change(path, disk) { bytes in
      for position in 100..<bytes.count { bytes[position] = 0 }
    }
    let next = try #require(fixture.own.log.scrubWork(after: .zero))
    let outcome = next.work.run(fixture.own.fileSystem, throttle: { _ in }, mustStop: { false })
    try fixture.own.log.finishScrub(next.work, outcome)
    let repaired = try fixture.repairAll()
    #expect(repaired.count > 1)
    try fixture.expectWhole()
    let intact = try #require(fixture.other.fileSystem as? SimulatedDisk)
    #expect(disk.contents(path) == intact.contents(path))
  }

  @Test func aLogThatWasCutMeanwhileTakesNothing() throws {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[1], disk) { $0[200] ^= 1 }
    }
    var draft = RepairDraft(try #require(fixture.own.log.damagedPlace))
    let step = try fixture.fill(&draft)
    #expect(step == .isReady)
    let work = try #require(try fixture.own.log.repairWork(draft))
    try fixture.own.log.truncate(to: Offset(4), now: fixture.own.now)
    #expect(try fixture.own.log.repairWork(draft) == nil)
    #expect(fixture.own.log.finishRepair(work, RepairOutcome(indexes: nil)) == nil)
    #expect(fixture.own.log.damagedPlace == nil)
  }

  @Test func recordsThatCameMeanwhileStay() throws {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[1], disk) { $0[200] ^= 1 }
    }
    var draft = RepairDraft(try #require(fixture.own.log.damagedPlace))
    let step = try fixture.fill(&draft)
    #expect(step == .isReady)
    let work = try #require(try fixture.own.log.repairWork(draft))
    let last = try fixture.own.append(makeBatch(3), epoch: 9).lastOffset
    try fixture.own.log.flush()
    #expect(fixture.own.log.finishRepair(work, try work.run(fixture.own.fileSystem)) != nil)
    try fixture.own.reopen(.unclean)
    #expect(fixture.own.log.logEndOffset == last.advanced(by: 1))
    #expect(fixture.own.log.damagedPlace == nil)
  }
}
