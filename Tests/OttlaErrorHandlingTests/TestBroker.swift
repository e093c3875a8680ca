import Glibc
import OttlaClient
import Synchronization

/// The program `ottla` that was built beside these tests, serving on a free port of this machine.
final class TestBroker: Sendable {
  private let folder: String
  private let program: String
  private let process: Mutex<pid_t>
  private let settings: [String]
  let bootstrapServers: String

  struct CannotStart: Error { let reason: String }

  init(settings: [String] = []) throws {
    var template = Array("/tmp/ottla-sdk-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CannotStart(reason: "no folder") }
    folder = String(cString: made)
    program = try Self.program()
    self.settings = settings
    let (process, address) = try Self.start(program, folder, settings, listen: "127.0.0.1:0")
    self.process = Mutex(process)
    bootstrapServers = address
  }

  deinit {
    kill()
    let words: [String] = ["/bin/rm", "-rf", folder]
    var arguments = words.map { strdup($0) } + [nil]
    var child = pid_t()
    if posix_spawn(&child, words[0], nil, nil, &arguments, environ) == 0 { waitpid(child, nil, 0) }
    for argument in arguments { free(argument) }
  }

  /// Ends the broker as a power cut does.
  func kill() {
    process.withLock { process in
      guard process > 0 else { return }
      Glibc.kill(process, SIGKILL)
      waitpid(process, nil, 0)
      process = 0
    }
  }

  /// Starts it again on the same port with the same data.
  func restart() throws {
    kill()
    let (started, _) = try Self.start(program, folder, settings, listen: bootstrapServers)
    process.withLock { $0 = started }
  }

  private static func start(
    _ program: String, _ folder: String, _ settings: [String], listen: String
  ) throws -> (pid_t, String) {
    let output = "\(folder)/output"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, "\(folder)/errors", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let set = (["group.initial.rebalance.delay.ms=0"] + settings).flatMap { ["--set", $0] }
    let words = [program, "serve", "--data-dir", "\(folder)/data", "--listen", listen] + set
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    guard posix_spawn(&process, program, &actions, nil, &arguments, environ) == 0 else {
      throw CannotStart(reason: program)
    }
    for _ in 0..<1500 {
      let text = read(output)
      if let start = text.range(of: "ready kafka="), text[start.upperBound...].contains("\n") {
        return (process, String(text[start.upperBound...].prefix { !$0.isWhitespace }))
      }
      if waitpid(process, nil, WNOHANG) != 0 { throw CannotStart(reason: read("\(folder)/errors")) }
      usleep(10_000)
    }
    Glibc.kill(process, SIGKILL)
    waitpid(process, nil, 0)
    throw CannotStart(reason: "not ready in 15 s: \(read("\(folder)/errors"))")
  }

  private static func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
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

extension String {
  /// The first place where `other` stands.
  fileprivate func range(of other: String) -> Range<Index>? { firstRange(of: other) }
}

/// What the tests share: a topic, records in it, and records out of it.
extension TestBroker {
  var admin: AdminClient {
    get throws { try AdminClient(AdminConfiguration(bootstrapServers: bootstrapServers)) }
  }

  func createTopic(_ name: String, partitions: Int32 = 1) async throws {
    try await admin.createTopic(name, partitions: partitions)
  }

  var producerConfiguration: ProducerConfiguration { ProducerConfiguration(bootstrapServers: bootstrapServers) }

  /// A member of `group` that begins at the oldest record and is quick to be given up.
  func consumerConfiguration(_ group: String? = nil) -> ConsumerConfiguration {
    var configuration = ConsumerConfiguration(bootstrapServers: bootstrapServers, groupId: group)
    configuration.autoOffsetReset = .earliest
    configuration.sessionTimeoutMs = 6000
    configuration.heartbeatIntervalMs = 200
    return configuration
  }

  /// Sends the numbers of `range` as text, to the partition that is their rest.
  func produce(_ range: Range<Int>, to topic: String, partitions: Int = 1, padding: Int = 0) async throws {
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
func within<Value: Sendable>(
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

struct TookTooLong: Error { let limit: Duration }
