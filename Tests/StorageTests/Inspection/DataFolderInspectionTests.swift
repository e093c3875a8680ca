import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct DataFolderInspectionTests {
  @Test func foldersAreKnownByWhatIsInThem() throws {
    let fixture = try InspectionFixture()
    #expect(try DataFolderInspection.kind(of: "data", fixture.disk) == .dataFolder)
    #expect(try DataFolderInspection.kind(of: fixture.directory, fixture.disk) == .partition)
    #expect(try DataFolderInspection.kind(of: fixture.logs[0], fixture.disk) == .segment)
    try fixture.disk.createDirectory("empty")
    #expect(try DataFolderInspection.kind(of: "empty", fixture.disk) == nil)
    #expect(try DataFolderInspection.kind(of: "data/meta.properties", fixture.disk) == nil)
  }

  @Test func damagedCheckpointsAreWarnings() throws {
    for name in [
      "recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint",
      "cleaner-offset-checkpoint",
    ] {
      let fixture = try InspectionFixture()
      fixture.disk.setContents("data/" + name, Array("0\n7\norders 0 1\n".utf8))
      let problems = fixture.problems()
      #expect(problems.count == 1 && problems.first?.severity == .warning && problems.first?.path == "data/" + name)
    }
  }

  @Test func aFileWhereAFolderShouldBe() throws {
    let fixture = try InspectionFixture()
    fixture.disk.setContents("data/orders-1", [1])
    #expect(fixture.problems().map(\.path) == ["data/orders-1"])
    #expect(fixture.problems().first?.severity == .damage)
  }

  @Test func aDamagedIdentityIsDamage() throws {
    let fixture = try InspectionFixture()
    fixture.disk.setContents("data/meta.properties", [0xff])
    #expect(fixture.problems().map(\.path) == ["data/meta.properties"])
  }

  @Test func foldersThatAreLeftOverAreNotes() throws {
    let fixture = try InspectionFixture()
    for name in ["gone-0.abc-delete", "lost-0.abc-stray", "whatever"] {
      try fixture.disk.createDirectory("data/" + name)
    }
    let (findings, counts) = fixture.inspect()
    #expect(counts.notes == 3 && findings.count == 3)
  }

  @Test func afterDamageEveryPathIsLookedAtAndNothingChanges() throws {
    let fixture = try InspectionFixture()
    fixture.change(fixture.logs[0]) { $0[70] ^= 1 }
    let before = fixture.disk.copy()
    _ = fixture.inspect()
    for name in fixture.disk.names(in: fixture.directory) {
      let path = fixture.directory + "/" + name
      #expect(fixture.disk.contents(path) == before.contents(path))
    }
    #expect(fixture.disk.names(in: fixture.directory) == before.names(in: fixture.directory))
  }

  @Test func aSentenceNamesFileOffsetsAndPosition() {
    let finding = InspectionFinding(.damage, "d/t-0/0.log", offsets: 4...9, position: 70, "the checksum is wrong")
    #expect(finding.description == "d/t-0/0.log: offset 4..9 (position 70): the checksum is wrong")
    #expect(InspectionFinding(.warning, "a", "b").description == "warning: a: b")
    #expect(InspectionFinding(.damage, "a", position: 3, "b").description == "a: position 3: b")
    #expect(InspectionFinding(.damage, "a", offsets: 3...3, "b").description == "a: offset 3: b")
  }
}
