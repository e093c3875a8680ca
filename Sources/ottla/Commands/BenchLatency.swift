import Client
import Primitives

func benchLatencyCommand() -> Command {
  Command(
    "bench latency", "measure the time from sending a record to reading it",
    options: [
      .value("rate", as: "N", help: "records a second (default 1000)"),
      .value("records", "n", as: "N", help: "how many (default 10000)"),
      .value("size", "s", as: "BYTES", help: "of each value, at least 16 (default 100)"),
      .value("topic", "t", as: "T", help: "made when it is not there (default ottla-bench-latency)"),
      .value("partitions", "p", as: "N", help: "of a topic that is made (default 1)"),
      CommonOptions.property, CommonOptions.output, CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [("ottla bench latency --rate 5000 --records 50000", "ten seconds at a steady rate")]
  ) { arguments in
    let rate = try arguments.integer("rate", in: 1...1_000_000) ?? 1000
    let count = try arguments.integer("records", in: 1...100_000_000) ?? 10_000
    let size = Int(try arguments.integer("size", in: 16...10_000_000) ?? 100)
    let topic = arguments.text("topic") ?? "ottla-bench-latency"
    let settings = try arguments.clientSettings([("fetch.wait.max.ms", "500"), ("socket.nagle.disable", "true")])
    let wantsJSON = try arguments.wantsJSON()
    try makeBenchTopic(topic, arguments)
    let partitions = try existingPartitions(of: topic, try arguments.adminClient(), creating: false)
      .map { TopicPartition(topic, $0) }
    var sending = settings
    sending.properties = [("linger.ms", "0")] + sending.properties.filter { $0.name != "fetch.wait.max.ms" }
    Interruption.hold()
    let run = LatencyRun(
      producer: try Producer(sending), consumer: try Consumer(settings, partitions: partitions, start: .latest),
      topic: topic, value: benchValue(byteCount: size), byteCount: size)
    try run.waitForConsumer()
    try run.measure(count: count, rate: rate)
    run.report(asJSON: wantsJSON)
    if run.latencies.count < Int(count) {
      throw CommandFailure("\(Int(count) - run.latencies.count) of \(count) records did not come back")
    }
  }
}

/// Sends at a steady rate and reads what comes back, in one thread: the sending never waits for the reading.
private final class LatencyRun {
  private let producer: Producer
  private let consumer: Consumer
  private let topic: String
  private var value: [UInt8]
  private let byteCount: Int
  /// Nanoseconds from sending to reading.
  private(set) var latencies: [Int64] = []
  private var progress = Progress()
  /// Sets this run's records apart from those of another one.
  private let mark = Stopwatch.wallClockMilliseconds()

  /// How long after the last sending the last record is waited for.
  private static let patienceMs: Int64 = 10_000

  init(producer: Producer, consumer: Consumer, topic: String, value: [UInt8], byteCount: Int) {
    self.producer = producer
    self.consumer = consumer
    self.topic = topic
    self.value = value
    self.byteCount = byteCount
  }

  /// The end of every partition is found before the first record is sent behind it.
  func waitForConsumer() throws {
    let watch = Stopwatch()
    while !consumer.isAtEnd, !Interruption.hasCome() {
      _ = try consumer.poll(timeoutMs: 100) { _ in true }
      guard watch.milliseconds < 30_000 else { throw CommandFailure("topic \(topic) cannot be read") }
    }
  }

  func measure(count: Int64, rate: Int64) throws {
    latencies.reserveCapacity(Int(count))
    let watch = Stopwatch()
    var sent: Int64 = 0
    var lastSentAt = watch
    while latencies.count < Int(count), !Interruption.hasCome() {
      let due = sent * 1_000_000_000 / rate
      let early = due - watch.nanoseconds
      if sent < count, early <= 0 {
        try sendOne()
        sent += 1
        lastSentAt = Stopwatch()
        producer.poll(timeoutMs: 0)
      } else if sent == count, lastSentAt.milliseconds > Self.patienceMs {
        return
      }
      // A whole millisecond is the shortest wait there is; closer to the next sending, only look.
      try receive(waitMs: sent == count || early > 1_500_000 ? 1 : 0)
      progress.update { "\(latencies.count) of \(count) records came back" }
    }
    progress.end()
  }

  private func sendOne() throws {
    value.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: mark, toByteOffset: 0, as: Int64.self)
      bytes.storeBytes(of: Stopwatch.monotonicNanoseconds(), toByteOffset: 8, as: Int64.self)
    }
    try value.withUnsafeBytes { bytes in
      try producer.send(topic: topic, key: nil, value: UnsafeRawBufferPointer(rebasing: bytes[..<byteCount]))
    }
  }

  private func receive(waitMs: Int32) throws {
    _ = try consumer.poll(timeoutMs: waitMs) { record in
      guard let value = record.value, value.count >= 16, value.loadUnaligned(as: Int64.self) == mark else {
        return true
      }
      let sentAt = value.loadUnaligned(fromByteOffset: 8, as: Int64.self)
      latencies.append(Stopwatch.monotonicNanoseconds() - sentAt)
      return true
    }
  }

  func report(asJSON: Bool) {
    let sorted = latencies.sorted()
    func milliseconds(_ part: Double) -> Double {
      guard !sorted.isEmpty else { return 0 }
      let rank = Int((Double(sorted.count) * part).rounded(.up)) - 1
      return Double(sorted[min(max(0, rank), sorted.count - 1)]) / 1e6
    }
    if asJSON {
      show(
        .object([
          ("records", .integer(sorted.count)), ("p50Ms", .number(milliseconds(0.5))),
          ("p99Ms", .number(milliseconds(0.99))), ("p999Ms", .number(milliseconds(0.999))),
          ("maxMs", .number(milliseconds(1))),
        ]))
      return
    }
    let output = StandardOutput()
    output.line(
      "\(sorted.count) records: p50 \(decimal(milliseconds(0.5), places: 3)) ms, "
        + "p99 \(decimal(milliseconds(0.99), places: 3)) ms, p99.9 \(decimal(milliseconds(0.999), places: 3)) ms, "
        + "max \(decimal(milliseconds(1), places: 3)) ms")
    output.flush()
  }
}
