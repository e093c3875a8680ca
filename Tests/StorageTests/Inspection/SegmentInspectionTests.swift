import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

@Suite struct SegmentInspectionTests {
  @Test func aLogThatWasClosedInOrderIsWhole() throws {
    let fixture = try InspectionFixture()
    let (findings, counts) = fixture.inspect()
    #expect(findings.isEmpty)
    #expect(counts.partitions == 1 && counts.segments == fixture.logs.count && counts.segments > 2)
    #expect(counts.batches == 30 && counts.records == 60)
    #expect(counts.bytes == Int64(fixture.batches.reduce(0) { $0 + $1.bytes.count }))
  }

  @Test func everyDamagedBatchIsToldByItsOffsets() throws {
    let whole = try InspectionFixture()
    var number = 0
    for log in whole.logs {
      let inSegment = splitBatches(try #require(whole.disk.contents(log)))
      var position = 0
      for batch in inSegment {
        let fixture = try InspectionFixture()
        fixture.change(log) { $0[position + 70] ^= 2 }
        let problems = fixture.problems()
        #expect(problems.count == 1, "an index that leads to damage is no problem of its own")
        #expect(problems.first?.path == log && problems.first?.position == Int64(position))
        #expect(problems.first?.offsets == batch.header.baseOffset.value...batch.header.lastOffset.value)
        position += batch.bytes.count
        number += 1
      }
    }
    #expect(number == 30)
  }

  @Test func recordsThatAreNotWhatTheBatchSaysAreFound() throws {
    let fixture = try InspectionFixture()
    fixture.change(fixture.logs[0]) { bytes in
      bytes.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        base.storeBigEndian(Int32(7), at: 57)
        let end = Int(UnsafeRawPointer(base).bigEndian(Int32.self, at: 8)) + 12
        base.storeBigEndian(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer[21..<end])), at: 17)
      }
    }
    let problem = try #require(fixture.problems().first)
    #expect(problem.offsets == 0...1 && problem.what.contains("the checksum is right, but"))
  }

  @Test func offsetsThatDoNotGrowAreFound() throws {
    let fixture = try InspectionFixture()
    fixture.change(fixture.logs[0]) { $0 += fixture.batches[1].bytes }
    let problems = fixture.problems()
    #expect(problems.contains { $0.offsets == 2...3 && $0.what.contains("or more must follow here") })
  }

  @Test func aFileWhoseNameIsNotItsFirstOffsetIsFound() throws {
    let fixture = try InspectionFixture()
    let bytes = try #require(fixture.disk.contents(fixture.logs[0]))
    fixture.disk.setContents(fixture.directory + "/00000000000000000001.log", bytes)
    #expect(fixture.problems().contains { $0.what.contains("the file's name says that it begins at 1") })
    #expect(fixture.problems().contains { $0.what.contains("the next segment begins at 1 already") })
  }

  @Test func anIndexThatIsWrongIsAWarning() throws {
    for (suffix, bytes) in [
      (".index", [0, 0, 0, 3, 0, 0, 0, 5]), (".index", [0, 0, 0, 0, 0x7f, 0, 0, 0]), (".index", [1, 2, 3]),
      (".timeindex", [0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ] as [(String, [UInt8])] {
      let fixture = try InspectionFixture()
      fixture.disk.setContents(String(fixture.logs[0].dropLast(4)) + suffix, bytes)
      let problems = fixture.problems()
      #expect(!problems.isEmpty && problems.allSatisfy { $0.severity == .warning && $0.path.hasSuffix(suffix) })
    }
  }

  @Test func reservedRoomInAnIndexIsNoDamage() throws {
    let fixture = try InspectionFixture()
    for suffix in [".index", ".timeindex"] {
      let path = String(try #require(fixture.logs.last).dropLast(4)) + suffix
      fixture.change(path) { $0 += [UInt8](repeating: 0, count: 240) }
    }
    #expect(fixture.problems().isEmpty)
  }
}
