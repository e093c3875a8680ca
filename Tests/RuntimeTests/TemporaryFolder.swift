import Effects
import Runtime

/// A folder of its own for a test, gone when the test is.
final class TemporaryFolder {
  let path: String
  private let fileSystem = LinuxFileSystem()

  init() throws {
    path = "/tmp/ottla-test-\(LinuxRandom().next())"
    try fileSystem.createDirectory(path)
  }

  deinit { try? fileSystem.removeDirectory(path) }
}
