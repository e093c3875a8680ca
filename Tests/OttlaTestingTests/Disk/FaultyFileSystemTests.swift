import Effects
import Testing

@testable import OttlaTesting

@Suite struct FaultyFileSystemTests {
  @Test func faultsAreForFilesThatAreOpenToo() throws {
    let faults = DiskFaults()
    let disk = FaultyFileSystem(MemoryDisk(), faults)
    try disk.createDirectory("/a")
    let file = try disk.open("/a/f", .readWrite)
    try write("hello", to: file)
    faults.fill()
    try write("HELLO", to: file)
    #expect(throws: IOError(operation: "pwrite", path: "/a/f", errno: 28)) { try write("HELLO!", to: file) }
    #expect(throws: IOError(operation: "open", path: "/a/g", errno: 28)) { try disk.open("/a/g", .readWrite) }
    #expect(throws: IOError(operation: "ftruncate", path: "/a/f", errno: 28)) { try file.truncate(to: 6) }
    #expect(try disk.space(at: "/a").usableBytes == 0)
    #expect(try text(of: "/a/f", disk) == "HELLO")
    try file.truncate(to: 4)
    faults.heal()
    try write("o", to: file, at: 4)
    faults.fail([.syncs])
    #expect(throws: IOError(operation: "fdatasync", path: "/a/f", errno: 5)) { try file.sync() }
    try write("o", to: file, at: 4)
    faults.fail([.reads])
    #expect(throws: IOError.self) { try disk.readAll("/a/f") }
    faults.heal()
    try file.sync()
    #expect(try text(of: "/a/f", disk) == "HELLo")
  }
}
