import Glibc
import OttlaClient
import TestServers
import Testing

@testable import OttlaErrorHandling

/// Processes that are killed at any time: nothing is lost, and nothing is committed that is not done.
@Suite struct KillTests {
  private struct NoChild: Error {}
  private static let topic = "t"
  private static let recordsCount = 1500

  private static var rounds: Int { getenv("OTTLA_KILLS").flatMap { Int(String(cString: $0)) } ?? 5 }

  @Test func killingAMemberAtAnyTimeLosesNothing() async throws {
    let broker = try TestBroker(settings: ["group.min.session.timeout.ms=500"])
    try await broker.createTopic(Self.topic, partitions: 3)
    try await broker.produce(0..<Self.recordsCount, to: Self.topic, partitions: 3)
    let journal = "/tmp/ottla-kill-\(getpid()).txt"
    unlink(journal)
    defer { unlink(journal) }
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for round in 0..<Self.rounds {
      let child = try Self.start(broker.bootstrapServers, journal)
      try await Task.sleep(for: .milliseconds(Int.random(in: 300...1800, using: &random)))
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
      try await check(broker, journal, "round \(round), seed \(seed)")
    }
    let last = try Self.start(broker.bootstrapServers, journal)
    defer {
      kill(last, SIGKILL)
      waitpid(last, nil, 0)
    }
    try await until(.seconds(60)) {
      let offsets = try await broker.committed("kill")
      guard offsets.values.reduce(0, +) == Int64(Self.recordsCount) else { return false }
      return try await missing(broker, journal).isEmpty
    }
    try await check(broker, journal, "the end, seed \(seed)")
  }

  /// Everything below what the group has committed is done, or lies safely in one of the topics beside.
  private func check(_ broker: TestBroker, _ journal: String, _ when: String) async throws {
    let committed = try await broker.committed("kill")
    let safe = try await accountedFor(broker, journal)
    for (partition, offset) in committed {
      // Record number n is in partition n % 3 at offset n / 3.
      let lost = (0..<offset).map { Int($0) * 3 + Int(partition) }.filter { !safe.contains($0) }
      #expect(lost.isEmpty, "\(when): committed \(offset) of \(partition), and \(lost) are nowhere")
    }
  }

  private func missing(_ broker: TestBroker, _ journal: String) async throws -> [Int] {
    let letters = try await values(broker, "\(Self.topic).DLT")
    let done = letters.union(Self.done(journal))
    return (0..<Self.recordsCount).filter { !done.contains($0) }
  }

  private func accountedFor(_ broker: TestBroker, _ journal: String) async throws -> Set<Int> {
    // In this order: a record goes from the topic to retries, and from there to the dead letters or the journal.
    let waiting = try await values(broker, "\(Self.topic)-retry-0")
    let letters = try await values(broker, "\(Self.topic).DLT")
    return waiting.union(letters).union(Self.done(journal))
  }

  private func values(_ broker: TestBroker, _ topic: String) async throws -> Set<Int> {
    guard try await broker.admin.listTopics().contains(topic) else { return [] }
    let consumer = try Consumer(broker.consumerConfiguration())
    let partitions = (0..<Int32(3)).map { TopicPartition(topic, $0) }
    var count: Int64 = 0
    for partition in partitions { count += Int64(try await consumer.watermarkOffsets(of: partition).count) }
    try await consumer.close()
    guard count > 0 else { return [] }
    return Set(try await broker.records(of: topic, count: Int(count)).compactMap { $0.valueText.flatMap { Int($0) } })
  }

  private static func done(_ path: String) -> Set<Int> {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&piece, 1, 1 << 16, file), count > 0 { text += piece[..<count] }
    return Set(
      String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap {
        $0.split(separator: " ").last.flatMap { Int($0) }
      })
  }

  private static func start(_ brokers: String, _ journal: String) throws -> pid_t {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    let own = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var found: String?
    for path in [own] + CommandLine.arguments {
      guard let slash = path.lastIndex(of: "/") else { continue }
      let candidate: String = "\(path[..<slash])/ProcessingChild"
      if access(candidate, X_OK) == 0 { found = candidate }
    }
    guard let program = found else { throw NoChild() }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let words: [String] = [program, brokers, topic, "kill", journal]
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    guard posix_spawn(&child, program, &actions, nil, &arguments, environ) == 0 else { throw NoChild() }
    return child
  }
}
