import Effects
import Testing

@testable import Simulation

@Suite struct DiskFaultTests {
  @Test func theNthCallFailsAndNoOther() throws {
    let disk = SimulatedDisk(folders: ["data"])
    disk.fail(call: 3)
    let file = try write([1], to: "data/a", disk)
    #expect(throws: IOError(operation: "sync", path: "data/a", errno: 5)) { try file.sync() }
    try file.sync()
    #expect(disk.failedCalls == ["sync of data/a"])
  }

  @Test func onlyWhatMatchesIsCounted() throws {
    let disk = SimulatedDisk(folders: ["data"])
    disk.fail(call: 2, errno: 28, isLasting: true, calls: [.write], pathPart: ".log")
    try write([1], to: "data/a.log", disk)
    try write([1], to: "data/b", disk)
    for _ in 0..<2 { #expect(throws: IOError.self) { try write([2], to: "data/a.log", disk) } }
    #expect(disk.contents("data/a.log") == [1])
    disk.heal()
    try write([3], to: "data/a.log", disk)
  }

  @Test func aWriteMayBeCutShort() throws {
    let disk = SimulatedDisk(folders: ["data"])
    disk.fail(call: 1, effect: .half, calls: [.write])
    #expect(throws: IOError.self) { try write([1, 2, 3, 4], to: "data/a", disk) }
    #expect(disk.contents("data/a") == [1, 2])
  }

  /// What Linux does: the failed sync forgets what was dirty, the next one has nothing to do.
  @Test func aFailedSyncLeavesInMemoryWhatIsNotOnTheDisk() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let file = try write([1, 1], to: "data/a", disk)
    try file.sync()
    try write([2, 2, 2], to: "data/a", disk)
    try disk.syncDirectory("data")
    disk.fail(call: 1, effect: .dropsDirtyPages, calls: [.sync])
    #expect(throws: IOError.self) { try file.sync() }
    try file.sync()
    #expect(try disk.readAll("data/a") == [2, 2, 2])
    #expect(disk.afterPowerCut(data: .kept, names: .kept).contents("data/a") == [1, 1, 0])
    file.dropCache()
    #expect(try disk.readAll("data/a") == [1, 1, 0])
  }
}
