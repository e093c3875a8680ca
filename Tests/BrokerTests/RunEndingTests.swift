import Cluster
import Coordination
import Effects
import Primitives
import Simulation
import Storage
import Testing

@testable import Broker

@Suite struct RunEndingTests {
  private let disk = SimulatedDisk(folders: ["/a/orders-0", "/b/orders-1"])
  private let folders = ["/a", "/b"]

  private func lastRun(_ folders: [String], boot: String? = "this boot") throws -> LastRun {
    try RunEnding(of: folders, boot: boot, disk).lastRun
  }

  /// What a start does when the cluster has taken it in.
  private func note(_ folders: [String], boot: String? = "this boot", seed: UInt64 = 1) throws {
    var random = seed
    _ = try IdentityFile.establish(
      fileSystem: disk, directories: folders, nodeID: BrokerID(1), clusterID: "MkU3OEVBNTcwNTJENDM2Qg"
    ) {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return random
    }
    for folder in folders {
      guard case .done = DiskJob.noteRun(folder, all: folders, boot: boot).run(disk, NoPace()) else {
        Issue.record("no note in \(folder)")
        return
      }
    }
  }

  private struct NoPace: DiskPace {
    let mustStop = false
    func spend(_ byteCount: Int, bytesPerSecondMax: Double) {}
  }

  private func forget(_ folder: String) { _ = DiskJob.forgetRun(folder).run(disk, NoPace()) }

  private func stop(_ folders: [String], epoch: Int64) throws {
    for folder in folders {
      try CleanShutdownMarker(brokerEpoch: epoch).write(logDirectory: folder, fileSystem: disk)
    }
  }

  @Test func aProcessThatDiedUnderThisBootHasLostNothing() throws {
    #expect(try lastRun(folders) == .lost)
    try note(folders)
    #expect(try lastRun(folders) == .killed)
    #expect(try lastRun(folders, boot: "another boot") == .lost)
    #expect(try lastRun(folders, boot: nil) == .lost)
  }

  /// The disk that failed is the one that does not take the note.
  @Test(arguments: ["/a", "/b"]) func oneFolderThatForgotItsMarkIsEnough(folder: String) throws {
    try note(folders)
    forget(folder)
    #expect(try lastRun(folders) == .lost)
    // The other way round the disk says what it says after the power came back.
    #expect(try lastRun(folders.reversed()) == .lost)
    try note(folders)
    #expect(try lastRun(folders) == .killed)
  }

  /// The start after one that could not bring everything to the disk hears of no failure.
  @Test func aStartThatLostPagesIsNotForgotten() throws {
    try note(folders)
    try RunEnding.bringToDisk(folders, disk)
    #expect(try lastRun(folders) == .killed)
    disk.fail(call: 2, calls: [.syncAll])
    #expect(throws: IOError.self) { try RunEnding.bringToDisk(folders, disk) }
    try RunEnding.bringToDisk(folders, disk)
    #expect(try lastRun(folders) == .lost)
  }

  /// A folder that holds nothing yet has nothing to lose.
  @Test func aNewFolderIsNotAsked() throws {
    try note(folders)
    try disk.createDirectory("/c")
    #expect(try lastRun(folders + ["/c"]) == .killed)
  }

  @Test func allFoldersWereClosedByTheSameStop() throws {
    try note(folders)
    try stop(["/a"], epoch: 7)
    #expect(try !RunEnding(of: folders, boot: "this boot", disk).isClean)
    try stop(["/b"], epoch: 7)
    #expect(try RunEnding(of: folders, boot: "this boot", disk).isClean)
    #expect(try lastRun(folders) == .stopped(brokerEpoch: 7))
    // An old copy of a folder: which stop it was nobody can say.
    try stop(["/b"], epoch: 5)
    #expect(try lastRun(folders) == .stopped(brokerEpoch: -1))
  }

  @Test func aFolderThatIsMissingIsMissed() throws {
    try note(folders)
    try stop(folders, epoch: 7)
    #expect(try lastRun(["/a"]) == .foldersGone)
    // Not before the cluster has heard of it is it forgotten.
    #expect(try lastRun(["/a"]) == .foldersGone)
    try note(["/a"])
    #expect(try lastRun(["/a"]) == .stopped(brokerEpoch: 7))
  }

  /// Another disk in the same place, empty.
  @Test func aFolderThatIsAnotherOneIsMissed() throws {
    try note(folders)
    try stop(folders, epoch: 7)
    try disk.removeDirectory("/b")
    try disk.createDirectory("/b")
    #expect(try lastRun(folders) == .foldersGone)
    try note(folders, seed: 2)
    #expect(try lastRun(folders) == .killed)
  }
}
