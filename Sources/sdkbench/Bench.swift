internal import Glibc
internal import OttlaClient
internal import Synchronization

/// One run: what to do, where, and how much of it.
struct Bench: Sendable {
  let mode: String
  let address: String
  let topic: String
  let partitions: Int32
  let records: Int
  let recordBytes: Int

  static func main() async {
    let words = CommandLine.arguments
    guard words.count == 7, let partitions = Int32(words[4]), let records = Int(words[5]), let bytes = Int(words[6]),
      partitions > 0, records > 0, bytes >= 0
    else {
      complain("usage: sdkbench produce|consume|batches|slow ADDRESS TOPIC PARTITIONS RECORDS RECORD_BYTES")
      exit(2)
    }
    let bench = Bench(
      mode: words[1], address: words[2], topic: words[3], partitions: partitions, records: records, recordBytes: bytes)
    do {
      switch bench.mode {
      case "produce": try await bench.produce()
      case "consume": try await bench.consume()
      case "batches": try await bench.consumeBatches()
      case "slow": try await bench.readSlowly()
      default: throw Wrong(description: "no mode '\(bench.mode)'")
      }
    } catch {
      complain("sdkbench: \(error)")
      exit(1)
    }
  }

  private static func complain(_ sentence: String) {
    let bytes = Array("\(sentence)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }

  struct Wrong: Error, CustomStringConvertible { let description: String }

  private func produce() async throws {
    let delivered = Deliveries()
    let producer = try Producer(ProducerConfiguration(bootstrapServers: address))
    let value = (0..<recordBytes).map { UInt8(ascii: "a") + UInt8(($0 * 7 + $0 / 13) % 26) }
    // The broker is found, and the topic known, before the clock runs: as in the C program.
    _ = try await AdminClient(AdminConfiguration(bootstrapServers: address)).describeTopic(topic)
    let run = Run()
    for number in 0..<records {
      let record = ProducerRecord(topic: topic, partition: Int32(number) % partitions, value: value)
      try await producer.enqueue(record) { outcome in
        if case .success = outcome { delivered.count.add(1, ordering: .relaxed) }
      }
    }
    try await producer.flush(within: .seconds(30))
    run.print(mode, records)
    try await producer.close()
    let count = delivered.count.load(ordering: .sequentiallyConsistent)
    guard count == records else { throw Wrong(description: "\(count) of \(records) records delivered") }
  }

  private func consumer(_ change: (inout ConsumerConfiguration) -> Void = { _ in }) async throws -> Consumer {
    var configuration = ConsumerConfiguration(bootstrapServers: address)
    configuration.autoOffsetReset = .earliest
    change(&configuration)
    return try Consumer(configuration)
  }

  private func assign(_ consumer: Consumer) async throws {
    try await consumer.assign(
      Dictionary(uniqueKeysWithValues: (0..<partitions).map { (TopicPartition(topic, $0), StartPosition.earliest) }))
  }

  private func consume() async throws {
    let consumer = try await consumer()
    try await assign(consumer)
    var run = Run()
    var count = 0
    for try await record in consumer.records {
      // As in the C program: how long the first record needs is another matter.
      if count == 0 { run = Run() }
      try check(record)
      count += 1
      if count == records { break }
    }
    run.print(mode, records)
    try await consumer.close()
  }

  private func check(_ record: ConsumerRecord) throws {
    guard record.value?.count == recordBytes else {
      throw Wrong(description: "a value of \(record.value?.count ?? -1) bytes")
    }
  }

  private func consumeBatches() async throws {
    let consumer = try await consumer()
    try await assign(consumer)
    var run = Run()
    var count = 0
    for try await batch in consumer.batches(of: 500) {
      if count == 0 { run = Run() }
      for record in batch { try check(record) }
      count += batch.count
      if count >= records { break }
    }
    run.print(mode, count)
    try await consumer.close()
  }

  /// Reads 50 records, rests for 20 ms, and so on: far slower than records come.
  private func readSlowly() async throws {
    let budget = 16 << 20
    let consumer = try await consumer { $0.bufferedBytesMax = budget }
    let before = Run.residentBytes
    try await assign(consumer)
    var count = 0
    var largest = 0
    for try await _ in consumer.records {
      count += 1
      if count % 50 == 0 {
        largest = max(largest, Run.residentBytes - before)
        try await Task.sleep(for: .milliseconds(20))
      }
      if count == records { break }
    }
    try await consumer.close()
    print("{\"mode\": \"sdk slow\", \"records\": \(records), \"budget_bytes\": \(budget), \"grown_bytes\": \(largest)}")
  }
}

/// How many records were delivered. The padding keeps the count, which the producer's thread writes, off the cache lines with the references
/// that the loop counts.
final class Deliveries: Sendable {
  private let padding = InlineArray<24, Int>(repeating: 0)
  let count = Atomic<Int>(0)
}

/// What one run has taken.
struct Run {
  private let started = ContinuousClock.now
  private let cpu = Run.cpuSeconds

  func print(_ mode: String, _ records: Int) {
    let (whole, rest) = (ContinuousClock.now - started).components
    let seconds = Double(whole) + Double(rest) / 1e18
    Swift.print(
      "{\"mode\": \"sdk \(mode)\", \"records\": \(records), \"seconds\": \(seconds), "
        + "\"records_per_s\": \(Int(Double(records) / seconds)), \"own_cpu_s\": \(Run.cpuSeconds - cpu)}")
  }

  static var cpuSeconds: Double {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  /// What the kernel counts as this process's memory.
  static var residentBytes: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let text = String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }
}
