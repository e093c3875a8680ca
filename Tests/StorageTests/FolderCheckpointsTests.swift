import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct FolderCheckpointsTests {
  private let orders = TopicPartition("orders", 0)
  private let other = TopicPartition("other", 3)

  @Test func theyAreReadByNameAndOnlyForPartitionsOfTheFolder() throws {
    let disk = SimulatedDisk()
    for folder in ["data", "data/orders-0"] { try disk.createDirectory(folder) }
    for (number, name) in OffsetCheckpoint.Name.allCases.enumerated() {
      try OffsetCheckpoint(name, logDirectory: "data", fileSystem: disk)
        .write([orders: Offset(Int64(number)), other: Offset(9)])
    }
    let read = try FolderCheckpoints(reading: "data", disk)
    for (number, name) in OffsetCheckpoint.Name.allCases.enumerated() {
      #expect(read[name] == [orders: Offset(Int64(number))])
      #expect(read[name, other] == nil)
    }
    // What they say of others is remembered, and no more than that.
    #expect(read.spokeOfGone && read.speaks(of: other) && read.speaks(of: orders))
    #expect(!read.speaks(of: TopicPartition("orders", 1)) && read.topics == ["orders", "other"])
  }

  @Test func anEmptyFolderGetsAFileThatSpeaksOfAllLogsToCome() throws {
    let disk = SimulatedDisk(folders: ["data"])
    #expect(try !FolderCheckpoints(reading: "data", disk).tellsAllRecoveryPoints)
    #expect(try FolderCheckpoints(reading: "data", disk).recoveryPoint(of: orders) == nil)
    #expect(try FolderCheckpoints(beginning: "data", disk).recoveryPoint(of: orders) == .zero)
    let later = disk.afterPowerCut(data: .lost, names: .lost)
    try later.createDirectory("data/orders-0")
    #expect(try FolderCheckpoints(beginning: "data", later).recoveryPoint(of: orders) == .zero)
  }

  @Test(arguments: [nil, "", "0\n1\n", "0\n1\norders x 3\n"])
  func withoutTheFileNothingIsKnownOfTheLogsThatAreThere(text: String?) throws {
    let disk = SimulatedDisk()
    for folder in ["data", "data/orders-0"] { try disk.createDirectory(folder) }
    let path = "data/" + OffsetCheckpoint.Name.recoveryPoint.rawValue
    if let text { disk.setContents(path, Array(text.utf8)) }
    var read = try FolderCheckpoints(beginning: "data", disk)
    #expect(read.recoveryPoint(of: orders) == nil)
    #expect(disk.contents(path) == text.map { Array($0.utf8) }, "the file would say that nothing was flushed")
    read[.recoveryPoint, orders] = Offset(4)
    #expect(read.recoveryPoint(of: orders) == Offset(4) && read.recoveryPoint(of: other) == nil)
    read.haveAllRecoveryPoints()
    #expect(read.recoveryPoint(of: orders) == Offset(4) && read.recoveryPoint(of: other) == .zero)
  }

  @Test func aFullDiskKeepsNoFolderFromBeginning() throws {
    let disk = SimulatedDisk(folders: ["data"])
    disk.fail(call: 1, errno: 28, isLasting: true, calls: [.write])
    #expect(try FolderCheckpoints(beginning: "data", disk).recoveryPoint(of: orders) == nil)
    disk.heal()
    disk.fail(call: 1, errno: 5, calls: [.write])
    #expect(throws: IOError.self) { try FolderCheckpoints(beginning: "data", disk) }
  }

  @Test func whatIsForgottenIsGoneFromOneFileAndSaysWhetherThereWasAny() {
    var checkpoints = FolderCheckpoints()
    checkpoints[.recoveryPoint, orders] = Offset(1)
    checkpoints[.logStartOffset, orders] = Offset(2)
    checkpoints[.recoveryPoint, other] = Offset(3)
    let outcomes = (0..<2).map { _ in checkpoints.forget(["orders"], in: .recoveryPoint) }
    #expect(outcomes == [true, false])
    #expect(checkpoints[.recoveryPoint] == [other: Offset(3)])
    #expect(checkpoints[.logStartOffset, orders] == Offset(2))
  }
}
