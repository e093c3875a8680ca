import Effects
import Testing

@testable import Simulation

@Suite struct PowerCutTests {
  @Test func whatWasSyncedIsThereAndNothingElse() throws {
    let disk = SimulatedDisk(folders: ["data"])
    try write([1], to: "data/a", disk).sync()
    try disk.syncDirectory("data")
    try write([2], to: "data/a", disk)
    try write([3], to: "data/b", disk).sync()
    let found = disk.afterPowerCut(data: .lost, names: .lost)
    #expect(try found.list("data") == ["a"])
    #expect(try found.readAll("data/a") == [1])
    let lucky = disk.afterPowerCut(data: .kept, names: .kept)
    #expect(try lucky.list("data") == ["a", "b"])
    #expect(try lucky.readAll("data/a") == [2])
    #expect(try disk.readAll("data/a") == [2])
  }

  @Test func aNewFolderIsThereOnceTheOneAboveWasSynced() throws {
    let disk = SimulatedDisk(folders: ["data"])
    try disk.createDirectory("data/t-0")
    try write([1], to: "data/t-0/a", disk).sync()
    try disk.syncDirectory("data/t-0")
    #expect(!disk.afterPowerCut(data: .kept, names: .lost).exists("data/t-0"))
    try disk.syncDirectory("data")
    #expect(try disk.afterPowerCut(data: .lost, names: .lost).readAll("data/t-0/a") == [1])
  }

  @Test(arguments: 0..<100) func aRenameIsWholeOrNotThere(seed: UInt64) throws {
    let disk = SimulatedDisk(folders: ["data"])
    try write([1], to: "data/a", disk).sync()
    try disk.syncDirectory("data")
    try write([2], to: "data/a.tmp", disk).sync()
    try disk.rename("data/a.tmp", to: "data/a")
    try write([3], to: "data/b", disk).sync()
    let found = disk.afterPowerCut(data: .mixed, names: .mixed, seed: seed)
    let names = try found.list("data")
    #expect([["a"], ["a", "a.tmp"], ["a", "b"]].contains(names))
    #expect(
      try found.readAll("data/a") == (names == ["a"] ? try found.readAll("data/a") : names.last == "b" ? [2] : [1]))
    #expect(try disk.afterPowerCut(data: .mixed, names: .mixed, seed: seed).list("data") == names)
  }

  @Test func aRemovedFileComesBack() throws {
    let disk = SimulatedDisk(folders: ["data"])
    try write([1], to: "data/a", disk).sync()
    try disk.syncDirectory("data")
    try disk.removeFile("data/a")
    #expect(disk.afterPowerCut(data: .lost, names: .lost).exists("data/a"))
    try disk.syncDirectory("data")
    #expect(!disk.afterPowerCut(data: .lost, names: .lost).exists("data/a"))
  }

  @Test func whatWasCutOffMayHaveBeenOnTheDisk() throws {
    var isSeen = false
    for seed: UInt64 in 0..<20 {
      let disk = SimulatedDisk(folders: ["data"])
      disk.writeBackEagerly(seed: seed)
      try write([1, 2], to: "data/a", disk).truncate(to: 1)
      isSeen = isSeen || disk.afterPowerCut(data: .lost, names: .kept).contents("data/a") == [1, 2]
    }
    #expect(isSeen)
  }

  @Test func theKernelWritesByItself() throws {
    var isSeen = false
    for seed: UInt64 in 0..<20 {
      let disk = SimulatedDisk(folders: ["data"])
      try write([1], to: "data/a", disk)
      disk.writeBack(seed: seed)
      isSeen = isSeen || disk.afterPowerCut(data: .lost, names: .lost).contents("data/a") == [1]
    }
    #expect(isSeen)
  }
}
