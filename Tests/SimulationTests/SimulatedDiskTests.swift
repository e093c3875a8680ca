import Effects
import Testing

@testable import Simulation

/// Opens `path` and writes `bytes` at `position`.
@discardableResult
func write(_ bytes: [UInt8], at position: Int64 = 0, to path: String, _ disk: SimulatedDisk) throws -> any File {
  let file = try disk.open(path, .readWrite)
  try bytes.withUnsafeBytes { try file.write($0, at: position) }
  return file
}

@Suite struct SimulatedDiskTests {
  @Test func readsAreWhatWasWritten() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let file = try write([1, 2, 3], to: "data/a", disk)
    try write([9], at: 5, to: "data/a", disk)
    #expect(try disk.readAll("data/a") == [1, 2, 3, 0, 0, 9])
    try file.truncate(to: 2)
    #expect(try file.size() == 2)
    var buffer = [UInt8](repeating: 7, count: 4)
    #expect(try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 1) } == 1)
    #expect(buffer == [2, 7, 7, 7])
    #expect(try disk.list("data") == ["a"])
    try disk.rename("data/a", to: "data/b")
    #expect(disk.exists("data/b") && !disk.exists("data/a"))
    try disk.removeFile("data/b")
    #expect(throws: IOError.self) { try disk.open("data/b", .read) }
    #expect(try file.size() == 2)
  }

  @Test func aFullDiskTakesWhatFits() throws {
    let disk = SimulatedDisk(folders: ["data"])
    disk.capacity = 10
    try write([UInt8](repeating: 1, count: 6), to: "data/a", disk)
    #expect(throws: IOError(operation: "write", path: "data/b", errno: 28)) {
      try write([UInt8](repeating: 2, count: 6), to: "data/b", disk)
    }
    #expect(disk.contents("data/b")?.count == 4)
    // Room that a file has already is no growth.
    try write([3, 3], to: "data/a", disk)
    try disk.removeFile("data/b")
    #expect(try disk.space(at: "data").usableBytes == 4)
    try write([UInt8](repeating: 2, count: 4), to: "data/c", disk)
  }

  @Test func aBitThatFlipsStaysFlipped() throws {
    let disk = SimulatedDisk(folders: ["data"])
    try write([0, 0], to: "data/a", disk).sync()
    try disk.syncDirectory("data")
    disk.flipBit(3, ofByte: 1, in: "data/a")
    #expect(try disk.readAll("data/a") == [0, 8])
    #expect(disk.afterPowerCut(data: .lost, names: .lost).contents("data/a") == [0, 8])
  }

  @Test func callsAreCounted() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let file = try write([1], to: "data/a", disk)
    try file.sync()
    try file.sync()
    #expect(disk.count(of: .sync) == 2)
    #expect(disk.count(of: .open) == 1)
    #expect(disk.callCount == 4)
  }
}
