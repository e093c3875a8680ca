import Effects
import Primitives
import Simulation
import Testing

@testable import Coordination

@Suite struct KnownFoldersTests {
  private let disk = SimulatedDisk(folders: ["/a", "/b", "/c"])

  private func establish(_ folders: [String], seed: UInt64 = 1) throws -> [UUID] {
    var random = seed
    return try IdentityFile.establish(
      fileSystem: disk, directories: folders, nodeID: BrokerID(1), clusterID: "MkU3OEVBNTcwNTJENDM2Qg"
    ) {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return random
    }.directoryIDs
  }

  private func note(_ folders: [String]) throws {
    for folder in folders { try KnownFolders.note(folders, in: folder, disk) }
  }

  @Test func whereNothingWasNotedNothingIsGone() throws {
    #expect(try KnownFolders.gone(among: ["/a", "/b"], disk).isEmpty)
    _ = try establish(["/a", "/b"])
    #expect(try KnownFolders.gone(among: ["/a"], disk).isEmpty)
  }

  @Test func everyFolderKnowsOfTheOthers() throws {
    let ids = try establish(["/a", "/b"])
    try note(["/a", "/b"])
    #expect(try KnownFolders.gone(among: ["/b", "/a"], disk).isEmpty)
    #expect(try KnownFolders.gone(among: ["/a"], disk) == [ids[1]])
    #expect(try KnownFolders.gone(among: ["/b"], disk) == [ids[0]])
    #expect(try KnownFolders.gone(among: ["/a", "/b", "/c"], disk).isEmpty)
    // A folder that lost the file that says whose it is.
    try disk.removeFile("/b/meta.properties")
    #expect(try KnownFolders.gone(among: ["/a", "/b"], disk) == [ids[1]])
  }

  /// A folder that was away, and does not know of the one that came meanwhile.
  @Test func anOldFolderDoesNotHideThatAnotherIsGone() throws {
    let ids = try establish(["/a", "/b", "/c"])
    try note(["/a", "/b"])
    try note(["/a", "/c"])
    #expect(try KnownFolders.gone(among: ["/a", "/b"], disk) == [ids[2]])
    #expect(try KnownFolders.gone(among: ["/a", "/b", "/c"], disk).isEmpty)
  }

  @Test func theNoteIsOnTheDiskAndWrittenOnlyWhereItIsAnotherOne() throws {
    let ids = try establish(["/a", "/b"])
    try note(["/a", "/b"])
    let left = disk.afterPowerCut(data: .lost, names: .lost)
    #expect(try KnownFolders.gone(among: ["/a"], left) == [ids[1]])
    let writes = disk.count(of: .write)
    try note(["/a", "/b"])
    #expect(disk.count(of: .write) == writes)
  }
}
