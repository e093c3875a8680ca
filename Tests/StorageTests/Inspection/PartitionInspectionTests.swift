import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct PartitionInspectionTests {
  @Test func aSegmentThatIsGoneIsToldByItsOffsets() throws {
    let fixture = try InspectionFixture()
    let base = try #require(LogFileName.baseOffset(of: String(fixture.logs[1].suffix(24)), suffix: ".log"))
    let next = try #require(LogFileName.baseOffset(of: String(fixture.logs[2].suffix(24)), suffix: ".log"))
    for suffix in [".log", ".index", ".timeindex"] {
      try fixture.disk.removeFile(fixture.directory + "/" + LogFileName.name(base, suffix))
    }
    let problem = try #require(fixture.problems().first)
    #expect(problem.severity == .warning && problem.offsets == base.value...(next.value - 1))
    // Compaction leaves out offsets.
    fixture.disk.setContents("data/cleaner-offset-checkpoint", Array("0\n1\norders 0 9\n".utf8))
    #expect(fixture.problems().isEmpty)
  }

  @Test func aLogShorterThanItsRecoveryPointIsDamaged() throws {
    let fixture = try InspectionFixture()
    fixture.disk.setContents("data/recovery-point-offset-checkpoint", Array("0\n1\norders 0 64\n".utf8))
    let problems = fixture.problems()
    #expect(problems.count == 1 && problems.first?.severity == .damage && problems.first?.offsets == 60...63)
  }

  @Test func smallFilesThatAreDamagedAreWarnings() throws {
    for name in ["leader-epoch-checkpoint", "partition.metadata", "00000000000000000060.snapshot"] {
      let fixture = try InspectionFixture()
      #expect(fixture.disk.contents(fixture.directory + "/" + name) != nil)
      fixture.disk.setContents(fixture.directory + "/" + name, [0xff, 1, 2])
      let problems = fixture.problems()
      #expect(problems.count == 1 && problems.first?.severity == .warning)
      #expect(problems.first?.path == fixture.directory + "/" + name)
    }
  }

  @Test func otherFilesAreNamedAndLeftAlone() throws {
    let fixture = try InspectionFixture()
    for name in ["notes.txt", "00000000000000000000.log.deleted", "00000000000000000000.log.damaged-7"] {
      fixture.disk.setContents(fixture.directory + "/" + name, [1])
    }
    let (findings, counts) = fixture.inspect()
    #expect(findings.allSatisfy { $0.severity == .note } && counts.notes == 3)
    #expect(fixture.disk.contents(fixture.directory + "/notes.txt") == [1])
  }

  @Test func oneSegmentAlone() throws {
    let fixture = try InspectionFixture()
    fixture.change(fixture.logs[1]) { $0[70] ^= 1 }
    #expect(fixture.inspect(fixture.logs[0], .segment).counts.damages == 0)
    let (findings, counts) = fixture.inspect(fixture.logs[1], .segment)
    #expect(findings.count == 1 && counts.damages == 1 && counts.segments == 1)
  }
}
