import Client
import Primitives

func benchConsumeCommand() -> Command {
  Command(
    "bench consume", "measure how fast a topic is read from its beginning",
    options: [
      .value("records", "n", as: "N", help: "stop after so many (default: at the end of the topic)"),
      .value("topic", "t", as: "T", help: "what to read (default ottla-bench)"),
      CommonOptions.property, CommonOptions.output, CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [("ottla bench consume --topic ottla-bench", "after `ottla bench produce`")]
  ) { arguments in
    let countMax = try arguments.integer("records", in: 1...Int64.max) ?? .max
    let topic = arguments.text("topic") ?? "ottla-bench"
    let settings = try arguments.clientSettings([("queued.min.messages", "1000000"), ("fetch.wait.max.ms", "100")])
    let wantsJSON = try arguments.wantsJSON()
    let partitions = try existingPartitions(of: topic, try arguments.adminClient(), creating: false)
      .map { TopicPartition(topic, $0) }
    Interruption.hold()
    let consumer = try Consumer(settings, partitions: partitions, start: .earliest)
    var progress = Progress()
    // Started by the first record: how long librdkafka takes to get going is no matter of the broker's.
    var watch = Stopwatch()
    var records: Int64 = 0
    var bytes: Int64 = 0
    var seconds = 0.0
    while records < countMax, !consumer.isAtEnd, !Interruption.hasCome() {
      let taken = try consumer.poll(timeoutMs: 100) { record in
        if records == 0 { watch = Stopwatch() }
        records += 1
        bytes += Int64((record.key?.count ?? 0) + (record.value?.count ?? 0))
        return records < countMax
      }
      // The end of a partition is told late: what counts is the last record.
      if taken > 0 { seconds = watch.seconds }
      progress.update { "\(records) records read" }
    }
    progress.end()
    consumer.close()
    Throughput(records: records, bytes: bytes, seconds: seconds).show("consumed", asJSON: wantsJSON)
  }
}
