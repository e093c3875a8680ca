import Foundation
import Synchronization

/// A real ZooKeeper server on this machine, for one test: its own port, its own folder, ended with it.
final class ZooKeeperServer {
  private static let script = "/usr/share/zookeeper/bin/zkServer.sh"
  /// Whether the package is installed.
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: script) }

  let port: UInt16
  private let folder: URL
  private var process: Process?

  init(tickMs: Int = 200) throws {
    port = Sockets.freePort()
    folder = FileManager.default.temporaryDirectory.appending(path: "ottla-zookeeper-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let configuration = """
      tickTime=\(tickMs)
      dataDir=\(folder.path())/data
      clientPort=\(port)
      clientPortAddress=127.0.0.1
      admin.enableServer=false
      maxClientCnxns=0
      """
    try configuration.write(to: file, atomically: true, encoding: .utf8)
  }

  private var file: URL { folder.appending(path: "zoo.cfg") }

  func start() throws {
    let process = Process()
    process.executableURL = URL(filePath: Self.script)
    process.arguments = ["start-foreground", file.path()]
    process.environment = ProcessInfo.processInfo.environment.merging(
      [
        "JMXDISABLE": "true", "ZOO_LOG_DIR": folder.path(),
        "SERVER_JVMFLAGS": "-Xmx128m -XX:TieredStopAtLevel=1 -Dzookeeper.forceSync=no",
      ]
    ) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
  }

  /// Kills the server, as a crash would; what it had is in its folder.
  func stop() {
    guard let process else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(at: folder)
  }
}
