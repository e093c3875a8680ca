import Effects
import Testing

@testable import OttlaTesting

@Suite struct MemoryDiskTests {
  @Test func filesKeepWhatIsWritten() throws {
    let disk = MemoryDisk()
    try disk.createDirectory("/a/b")
    let file = try disk.open("/a/b/f", .readWrite)
    try write("hello", to: file)
    try write("!", to: file, at: 7)
    #expect(try disk.readAll("/a/b/f") == Array("hello".utf8) + [0, 0] + Array("!".utf8))
    try file.truncate(to: 3)
    try file.truncate(to: 6)
    #expect(try disk.readAll("/a/b/f") == Array("hel".utf8) + [0, 0, 0], "what was cut off does not come back")
    #expect(disk.usedBytes == 6)
  }

  @Test func namesAreAsInAnyFileSystem() throws {
    let disk = MemoryDisk()
    #expect(throws: IOError(operation: "open", path: "/x", errno: 2)) { try disk.open("/x", .read) }
    #expect(throws: IOError(operation: "open", path: "/no/x", errno: 2)) { try disk.open("/no/x", .readWrite) }
    try disk.createDirectory("/a/b/c")
    try write("1", to: try disk.open("/a/b/f", .readWrite))
    try write("2", to: try disk.open("/a/g", .readWrite))
    #expect(try disk.list("/a") == ["b", "g"])
    #expect(try disk.list("/a/b") == ["c", "f"])
    #expect(throws: IOError(operation: "opendir", path: "/a/g", errno: 20)) { try disk.list("/a/g") }
    #expect(throws: IOError(operation: "open", path: "/a/b", errno: 21)) { try disk.open("/a/b", .readWrite) }
    #expect(throws: IOError(operation: "mkdir", path: "/a/g", errno: 17)) { try disk.createDirectory("/a/g/h") }
    try disk.rename("/a/b", to: "/a/d")
    #expect(!disk.exists("/a/b") && !disk.exists("/a/b/f") && disk.isDirectory("/a/d/c"))
    #expect(try text(of: "/a/d/f", disk) == "1")
    try disk.rename("/a/g", to: "/a/d/f")
    #expect(try text(of: "/a/d/f", disk) == "2", "over what had the name")
    #expect(throws: IOError(operation: "rename", path: "/a/g", errno: 2)) { try disk.rename("/a/g", to: "/a/h") }
    #expect(throws: IOError(operation: "unlink", path: "/a/g", errno: 2)) { try disk.removeFile("/a/g") }
    try disk.removeDirectory("/a/d")
    #expect(try disk.list("/a") == [])
    #expect(throws: IOError(operation: "rmdir", path: "/a/d", errno: 2)) { try disk.removeDirectory("/a/d") }
  }

  @Test func anOpenFileStaysWhenItsNameGoes() throws {
    let disk = MemoryDisk()
    try disk.createDirectory("/a")
    let file = try disk.open("/a/f", .readWrite)
    try write("hello", to: file)
    try disk.removeFile("/a/f")
    #expect(disk.usedBytes == 0)
    var bytes = [UInt8](repeating: 0, count: 9)
    let outcome = bytes.withUnsafeMutableBytes { buffer in Result { try file.read(into: buffer, at: 1) } }
    #expect(try outcome.get() == 4)
    #expect(bytes.prefix(4) == Array("ello".utf8)[...])
  }
}

func write(_ text: String, to file: any File, at position: Int64 = 0) throws {
  var bytes = Array(text.utf8)
  let outcome = bytes.withUnsafeMutableBytes { buffer in
    Result { try file.write(UnsafeRawBufferPointer(buffer), at: position) }
  }
  try outcome.get()
}

func text(of path: String, _ disk: any FileSystem) throws -> String {
  String(decoding: try disk.readAll(path), as: UTF8.self)
}
