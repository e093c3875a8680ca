internal import Foundation
package import OttlaClient
internal import Synchronization

/// The program `ottla` that was built beside these tests, serving on a free port of this machine until the test ends.
package final class TestBroker: Sendable {
  private let folder: String
  private let program: String
  private let settings: [String]
  /// Nil while it does not run.
  private let process: Mutex<GuardedProcess?>
  package let bootstrapServers: String

  package struct CannotStart: Error { package let reason: String }

  package init(settings: [String] = []) throws {
    folder = try temporaryFolder("sdk")
    program = try Self.program()
    self.settings = settings
    let (process, address) = try Self.start(program, folder, settings, listen: "127.0.0.1:0")
    self.process = Mutex(process)
    bootstrapServers = address
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Ends the broker as `kill -9` does.
  package func kill() {
    process.withLock { process in
      process?.stop()
      process = nil
    }
  }

  /// Starts it again on the same port with the same data.
  package func restart() throws {
    kill()
    let (started, _) = try Self.start(program, folder, settings, listen: bootstrapServers)
    process.withLock { $0 = started }
  }

  private static func start(
    _ program: String, _ folder: String, _ settings: [String], listen: String
  ) throws -> (GuardedProcess, String) {
    let output = "\(folder)/output"
    let set = (["group.initial.rebalance.delay.ms=0"] + settings).flatMap { ["--set", $0] }
    // What the one before said is not to be taken for what this one says.
    try Data().write(to: URL(filePath: output))
    let process = try GuardedProcess(
      [program, "serve", "--data-dir", "\(folder)/data", "--listen", listen] + set, output: output, folder: folder,
      signal: "KILL")
    for _ in 0..<3000 {
      let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
      if let start = text.firstRange(of: "ready kafka="), text[start.upperBound...].contains("\n") {
        return (process, String(text[start.upperBound...].prefix { !$0.isWhitespace }))
      }
      if text.contains("ottla serve: ") { break }
      usleep(10_000)
    }
    process.stop()
    let said = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    throw CannotStart(reason: "ottla did not get ready: \(said)")
  }

  private static func program() throws -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    // The runner of Swift Testing may be the toolchain's: the bundle it was given is on its command line.
    let own = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for path in [own] + CommandLine.arguments {
      guard let slash = path.lastIndex(of: "/") else { continue }
      let candidate = "\(path[..<slash])/ottla"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    throw CannotStart(reason: "no ottla beside \(own)")
  }
}

/// What the tests share: a topic, records in it, and records out of it.
extension TestBroker {
  package var admin: AdminClient {
    get throws { try AdminClient(AdminConfiguration(bootstrapServers: bootstrapServers)) }
  }

  package func createTopic(_ name: String, partitions: Int32 = 1) async throws {
    try await admin.createTopic(name, partitions: partitions)
  }

  package var producerConfiguration: ProducerConfiguration { ProducerConfiguration(bootstrapServers: bootstrapServers) }

  /// A member of `group` that begins at the oldest record and is quick to be given up.
  package func consumerConfiguration(_ group: String? = nil) -> ConsumerConfiguration {
    var configuration = ConsumerConfiguration(bootstrapServers: bootstrapServers, groupId: group)
    configuration.autoOffsetReset = .earliest
    configuration.sessionTimeoutMs = 6000
    configuration.heartbeatIntervalMs = 200
    return configuration
  }

  /// Sends the numbers of `range` as text, to the partition that is their rest.
  package func produce(_ range: Range<Int>, to topic: String, partitions: Int = 1, padding: Int = 0) async throws {
    let tail = String(repeating: "x", count: padding)
    try await withProducer(producerConfiguration) { producer in
      for number in range {
        try await producer.enqueue(
          ProducerRecord(
            topic: topic, partition: Int32(number % partitions), key: "\(number)", value: "\(number)\(tail)"))
      }
    }
  }
}

/// Fails when `body` takes longer than `limit`, and cancels it.
package func within<Value: Sendable>(
  _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      return nil
    }
    defer { group.cancelAll() }
    while let outcome = try await group.next() {
      if let outcome { return outcome }
      throw TookTooLong(limit: limit)
    }
    throw TookTooLong(limit: limit)
  }
}

package struct TookTooLong: Error { package let limit: Duration }
