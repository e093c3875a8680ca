import Client
import KafkaProtocol
import Primitives

func benchProduceCommand() -> Command {
  Command(
    "bench produce", "measure how fast records are sent and acknowledged",
    options: [
      .value("records", "n", as: "N", help: "how many (default 1000000)"),
      .value("size", "s", as: "BYTES", help: "of each value (default 100)"),
      .value("topic", "t", as: "T", help: "made when it is not there (default ottla-bench)"),
      .value("partitions", "p", as: "N", help: "of a topic that is made (default 1)"),
      .value("acks", as: "ACKS", help: "all (default), 1 or 0"),
      .value("compression", "z", as: "CODEC", help: "none (default), gzip, snappy, lz4 or zstd"),
      CommonOptions.property, CommonOptions.output, CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [
      ("ottla bench produce --records 5000000 --size 100", "small records"),
      ("ottla bench produce --size 10000 --compression lz4 -o json", "large ones, for a script"),
    ]
  ) { arguments in
    let count = try arguments.integer("records", in: 1...Int64.max) ?? 1_000_000
    let size = Int(try arguments.integer("size", in: 0...100_000_000) ?? 100)
    let acks = try arguments.choice("acks", among: ["all", "1", "0"]) ?? "all"
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    let codec = try arguments.choice("compression", among: codecs) ?? "none"
    let topic = arguments.text("topic") ?? "ottla-bench"
    let settings = try arguments.clientSettings([
      ("compression.codec", codec), ("acks", acks), ("enable.idempotence", acks == "all" ? "true" : "false"),
      ("message.max.bytes", "\(max(1_000_000, size + 1024))"),
    ])
    let wantsJSON = try arguments.wantsJSON()
    try makeBenchTopic(topic, arguments)
    Interruption.hold()
    let producer = try Producer(settings)
    let value = benchValue(byteCount: size)
    var progress = Progress()
    let watch = Stopwatch()
    var sent: Int64 = 0
    while sent < count, !(sent % 1000 == 0 && Interruption.hasCome()) {
      // A value that changes from record to record: else compression would look better than it is.
      try value.withUnsafeBytes { bytes in
        let start = Int(truncatingIfNeeded: sent % 1009)
        try producer.send(topic: topic, key: nil, value: UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
      }
      sent += 1
      if sent % 1000 == 0 { progress.update { "\(producer.tally.delivered) of \(count) records acknowledged" } }
    }
    while producer.waiting > 0, !Interruption.hasCome() {
      producer.poll(timeoutMs: 50)
      progress.update { "\(producer.tally.delivered) of \(count) records acknowledged" }
    }
    let seconds = watch.seconds
    progress.end()
    let tally = producer.tally
    Throughput(records: Int64(tally.delivered), bytes: Int64(tally.deliveredBytes), seconds: seconds)
      .show("produced", asJSON: wantsJSON)
    if tally.failed > 0 { throw CommandFailure("\(tally.failed) records were not delivered: \(tally.summary)") }
  }
}

/// Makes the topic that a measurement uses, unless it is there.
func makeBenchTopic(_ topic: String, _ arguments: Arguments) throws {
  let partitions = Int32(try arguments.integer("partitions", in: 1...100_000) ?? 1)
  let admin = try arguments.adminClient()
  if let known = try admin.metadata(topics: [topic]).topics.first, known.errorCode == .none { return }
  _ = try admin.createTopic(topic, partitions: partitions, replicationFactor: nil, configs: [])
  _ = try existingPartitions(of: topic, admin, creating: true)
}

/// Letters and digits in no order, a thousand more than asked for so that values can start anywhere in them.
func benchValue(byteCount: Int) -> [UInt8] {
  let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15
  return (0..<byteCount + 1009).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return alphabet[Int(truncatingIfNeeded: state % UInt64(alphabet.count))]
  }
}
