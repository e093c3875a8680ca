import Client
import Glibc
import KafkaProtocol
import Primitives

func produceCommand() -> Command {
  Command(
    "produce", "send the lines of standard input as records",
    parameters: [Parameter("TOPIC")],
    options: [
      .value("k", "key-separator", as: "SEP", help: "what divides key and value in a line; \\t is a tab"),
      .value("p", "partition", as: "P", help: "send everything to this partition (default: by the key)"),
      .value("H", "header", as: "NAME=VALUE", repeats: true, help: "a header for every record"),
      .flag("Z", "null", help: "an empty key or value is null: a tombstone"),
      .value("compression", "z", as: "CODEC", help: "none (default), gzip, snappy, lz4 or zstd"),
      CommonOptions.property, CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [
      ("echo hello | ottla produce greetings", "one record"),
      ("printf 'alice:1\\nbob:2\\n' | ottla produce scores -k :", "keys and values"),
      ("ottla produce events --compression zstd < events.jsonl", "a file, a record a line"),
    ]
  ) { arguments in
    var separator: [UInt8] = []
    if let text = arguments.text("k") {
      do throws(RecordFormat.FormatError) { separator = try RecordFormat.unescape(text) } catch {
        throw UsageError("-k: \(error)")
      }
      guard !separator.isEmpty else { throw UsageError("-k needs at least one character") }
    }
    let partition = try arguments.integer("p", in: 0...Int64(Int32.max)).map { Int32($0) }
    let headers = try arguments.pairs("H").map { (name: $0.name, value: Optional(Array($0.value.utf8))) }
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    let codec = try arguments.choice("compression", among: codecs) ?? "none"
    let settings = try arguments.clientSettings([("compression.codec", codec)])
    let topic = arguments.parameters[0]
    let partitions = try existingPartitions(of: topic, try arguments.adminClient(), creating: true)
    if let partition, !partitions.contains(partition) {
      throw CommandFailure("topic \(topic) has no partition \(partition)")
    }
    Interruption.hold()
    let sender = LineSender(
      producer: try Producer(settings), topic: topic, partition: partition ?? Producer.anyPartition,
      separator: separator, headers: headers, emptyIsNull: arguments.has("Z"))
    try sender.sendStandardInput()
    try sender.finish()
  }
}

/// The partitions of a topic. One that the broker makes when first asked for is waited for a little.
func existingPartitions(of topic: String, _ admin: AdminClient, creating: Bool) throws -> [Int32] {
  let watch = Stopwatch()
  while true {
    do throws(ClientError) {
      return try admin.partitions(of: topic, allowAutoTopicCreation: creating).map(\.partitionIndex)
    } catch {
      guard case .refused(_, let refusal) = error else { throw error }
      guard refusal.code == .unknownTopicOrPartition || refusal.code == .leaderNotAvailable else { throw error }
      if !creating || watch.milliseconds > 3000 {
        throw CommandFailure("topic \(topic) does not exist; `ottla topic create \(topic)` makes it")
      }
    }
    usleep(100_000)
  }
}
