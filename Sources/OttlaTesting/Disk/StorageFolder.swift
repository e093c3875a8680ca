internal import Effects
internal import Glibc
internal import Runtime

/// The place of one broker's files, on a disk that can be made to fail.
struct StorageFolder: Sendable {
  let path: String
  let fileSystem: any FileSystem
  let isKernels: Bool

  /// - Throws: why there is no such place, a sentence.
  init(_ storage: BrokerStorage, _ disk: BrokerDisk) throws(EmbeddedBrokerError) {
    switch storage {
    case .memory:
      path = "/memory"
      fileSystem = FaultyFileSystem(MemoryDisk(), disk.faults)
      isKernels = false
    case .temporaryFolder:
      path = try Self.makeFolder()
      fileSystem = FaultyFileSystem(LinuxFileSystem(), disk.faults)
      isKernels = true
    }
  }

  private static func makeFolder() throws(EmbeddedBrokerError) -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    var template = Array("\(parent.isEmpty ? "/tmp" : parent)/ottla-testing-XXXXXX".utf8CString)
    let isMade = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkdtemp($0) != nil } ?? false }
    let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard isMade else {
      throw .notStarted("no folder can be made at \(path), see whether TMPDIR is right: errno \(errno)")
    }
    return path
  }

  /// Removes everything. Files that somebody still has open go when they are closed.
  func remove() {
    // Also where the disk is made to fail.
    if isKernels { try? LinuxFileSystem().removeDirectory(path) }
  }
}
