import Effects
import Runtime
import Testing

@Suite struct LinuxFileSystemTests {
  private let fileSystem = LinuxFileSystem()
  private let folder: TemporaryFolder
  private var path: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, to file: any File, at position: Int64) throws {
    try Array(text.utf8).withUnsafeBytes { try file.write($0, at: position) }
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try fileSystem.readAll(path + "/" + name), as: UTF8.self)
  }

  @Test func bytesAreReadWhereTheyWereWritten() throws {
    let file = try fileSystem.open(path + "/file", .readWrite)
    try write("hello world", to: file, at: 0)
    try write("W", to: file, at: 6)
    #expect(try text("file") == "hello World")
    #expect(try file.size() == 11)
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 6) }
    #expect(count == 5 && String(decoding: bytes[..<count], as: UTF8.self) == "World")
    #expect(try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 100) } == 0)
  }

  @Test func twoRunsOfBytesAreWrittenAsOne() throws {
    let file = try fileSystem.open(path + "/file", .readWrite)
    let head = Array("head ".utf8)
    let body = [UInt8](repeating: UInt8(ascii: "b"), count: 3_000_000)
    try head.withUnsafeBytes { head in try body.withUnsafeBytes { try file.write(head, $0, at: 2) } }
    try file.sync()
    let all = try fileSystem.readAll(path + "/file")
    #expect(all == [0, 0] + head + body)
  }

  @Test func aFileIsCutAndExtended() throws {
    let file = try fileSystem.open(path + "/file", .readWrite)
    try write("123456", to: file, at: 0)
    try file.truncate(to: 3)
    #expect(try text("file") == "123")
    try file.truncate(to: 5)
    #expect(try fileSystem.readAll(path + "/file") == Array("123".utf8) + [0, 0])
    try file.preallocate(1 << 20, at: 5)
    #expect(try file.size() == 5, "reserved blocks are no part of the file")
  }

  @Test func namesAreListedMadeMovedAndRemoved() throws {
    try fileSystem.createDirectory(path + "/a/b/c")
    try fileSystem.createDirectory(path + "/a/b/c")
    for name in ["z", "y", "x"] { try write(name, to: try fileSystem.open(path + "/a/\(name)", .readWrite), at: 0) }
    #expect(try fileSystem.list(path + "/a") == ["b", "x", "y", "z"])
    #expect(fileSystem.isDirectory(path + "/a/b") && !fileSystem.isDirectory(path + "/a/x"))
    #expect(fileSystem.exists(path + "/a/x") && !fileSystem.exists(path + "/a/w"))
    try fileSystem.rename(path + "/a/x", to: path + "/a/y")
    #expect(try text("a/y") == "x")
    try fileSystem.removeFile(path + "/a/z")
    try fileSystem.syncDirectory(path + "/a")
    #expect(try fileSystem.list(path + "/a") == ["b", "y"])
    try fileSystem.removeDirectory(path + "/a")
    #expect(!fileSystem.exists(path + "/a"))
  }

  @Test func aFileOutlivesItsNameWhileItIsOpen() throws {
    let file = try fileSystem.open(path + "/file", .readWrite)
    try write("still here", to: file, at: 0)
    try fileSystem.removeFile(path + "/file")
    #expect(try file.size() == 10)
  }

  @Test func refusalsSayWhatWasTriedAndWhere() throws {
    func refusal(_ body: () throws(IOError) -> Void) -> IOError? {
      do throws(IOError) {
        try body()
        return nil
      } catch { return error }
    }
    let missing = refusal { () throws(IOError) in _ = try fileSystem.open(path + "/none", .read) }
    #expect(missing == IOError(operation: "open", path: path + "/none", errno: 2))
    #expect(refusal { () throws(IOError) in _ = try fileSystem.list(path + "/none") }?.errno == 2)
    #expect(refusal { () throws(IOError) in try fileSystem.removeFile(path + "/none") }?.errno == 2)
    #expect(refusal { () throws(IOError) in try fileSystem.rename(path + "/none", to: path + "/x") }?.errno == 2)
    _ = try fileSystem.open(path + "/file", .readWrite)
    #expect(refusal { () throws(IOError) in try fileSystem.createDirectory(path + "/file/below") } != nil)
    let readOnly = try fileSystem.open(path + "/file", .read)
    #expect(refusal { () throws(IOError) in try readOnly.truncate(to: 1) } != nil)
  }

  @Test func aFileIsReplacedWhole() throws {
    try fileSystem.replace(path + "/file", with: Array("a long first text".utf8))
    try fileSystem.replace(path + "/file", with: Array("short".utf8))
    #expect(try text("file") == "short")
    #expect(try fileSystem.list(path) == ["file"])
  }

  @Test func theRoomOnTheDiskIsTold() throws {
    let (total, usable) = try fileSystem.space(at: path)
    #expect(total > 0 && usable >= 0 && usable <= total)
  }
}
