import Foundation
import Synchronization

/// A real ZooKeeper server on this machine, for one test: its own port, its own folder, ended with it, and with the process
/// of the tests, however that ends.
final class ZooKeeperServer {
  private static let script = "/usr/share/zookeeper/bin/zkServer.sh"
  /// Whether the package is installed.
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: script) }

  let port: UInt16
  private let folder: URL
  private var process: (shell: Process, lifeline: Pipe)?
  /// Keeps the server as long as something holds the other end of its input.
  private static let keeper = #""$1" start-foreground "$2" & server=$!; cat >/dev/null; kill -9 $server; wait"#

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
    let lifeline = Pipe()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", Self.keeper, "keeper", Self.script, file.path()]
    process.standardInput = lifeline
    process.environment = ProcessInfo.processInfo.environment.merging(
      [
        "JMXDISABLE": "true", "ZOO_LOG_DIR": folder.path(),
        "SERVER_JVMFLAGS": "-Xmx128m -XX:TieredStopAtLevel=1 -Dzookeeper.forceSync=no",
      ]
    ) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = (process, lifeline)
  }

  /// Kills the server, as a crash would; what it had is in its folder.
  func stop() {
    guard let process else { return }
    try? process.lifeline.fileHandleForWriting.close()
    process.shell.waitUntilExit()
    self.process = nil
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(at: folder)
  }
}
