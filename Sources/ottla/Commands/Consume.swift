import Client
import Primitives

func consumeCommand() -> Command {
  Command(
    "consume", "write the records of a topic to standard output",
    parameters: [Parameter("TOPIC")],
    options: [
      .flag("from-beginning", help: "the oldest record first (a group: where it has no offset yet)"),
      .value("group", "g", as: "G", help: "read as a member of this group, and commit offsets"),
      .value("p", "partition", as: "P", help: "only this partition; not in a group"),
      .value("offset", as: "N", help: "start at this offset, or with -N so many before the end; not in a group"),
      .value("n", "count", as: "N", help: "stop after N records"),
      .flag("e", "exit-at-end", help: "stop at the end of the topic"),
      .value(
        "f", "format", as: "FORMAT", help: "%t topic %p partition %o offset %k key %s value %T time %h headers, as kcat"
      ),
      .value("o", "output", as: "FORMAT", help: "text (default) or json: an object a line"),
      CommonOptions.property, CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [
      ("ottla consume greetings --from-beginning", "everything, then what comes, until Ctrl-C"),
      ("ottla consume scores --from-beginning -e -f '%k=%s\\n'", "keys and values up to the end"),
      ("ottla consume orders --group billing -n 10", "the next ten of a group"),
      ("ottla consume orders --offset -5 -e -f '%t [%p] %o %T %h %s\\n'", "the last five of each partition"),
    ]
  ) { arguments in
    let topic = arguments.parameters[0]
    let writer = try recordWriter(arguments)
    let countMax = try arguments.integer("n", in: 0...Int64.max)
    let start = try startPosition(arguments)
    let group = arguments.text("group")
    let partition = try arguments.integer("p", in: 0...Int64(Int32.max)).map { Int32($0) }
    if group != nil, partition != nil || arguments.text("offset") != nil {
      throw UsageError("a group chooses partitions and offsets itself: leave out -p and --offset")
    }
    let settings = try arguments.clientSettings()
    let existing = try existingPartitions(of: topic, try arguments.adminClient(), creating: false)
    let chosen = existing.filter { partition == nil || $0 == partition }
    if let partition, chosen.isEmpty { throw CommandFailure("topic \(topic) has no partition \(partition)") }
    Interruption.hold()
    let consumer: Consumer
    if let group {
      consumer = try Consumer(settings, group: group, topics: [topic], start: start)
    } else {
      consumer = try Consumer(settings, partitions: chosen.map { TopicPartition(topic, $0) }, start: start)
    }
    try consume(consumer, writer, countMax: countMax, stopsAtEnd: arguments.has("e"))
  }
}

/// Reads until there is enough, the end, Ctrl-C, or nobody who takes the output.
private func consume(
  _ consumer: Consumer, _ write: (ConsumedRecord, OutputBuffer) -> Void, countMax: Int64?, stopsAtEnd: Bool
) throws {
  let output = StandardOutput()
  var count: Int64 = 0
  var hasWarned = false
  while count < countMax ?? .max, !(stopsAtEnd && consumer.isAtEnd), !Interruption.hasCome() {
    _ = try consumer.poll(timeoutMs: 100) { record in
      write(record, output.buffer)
      output.flushIfFull()
      count += 1
      return count < countMax ?? .max && !output.hasFailed
    }
    // What was not written must not count as read.
    guard output.flush() else {
      consumer.forgetTaken()
      break
    }
    if consumer.allBrokersDown, !hasWarned {
      hasWarned = true
      let reason = consumer.lastReason.isEmpty ? "" : " (\(consumer.lastReason))"
      standardError("ottla consume: no broker answers\(reason); still trying\n")
    }
  }
  if let failure = consumer.close() { throw failure }
}

private func startPosition(_ arguments: Arguments) throws(UsageError) -> StartPosition {
  guard let text = arguments.text("offset") else {
    return arguments.has("from-beginning") ? .earliest : .latest
  }
  if arguments.has("from-beginning") { throw UsageError("--from-beginning and --offset exclude each other") }
  switch text {
  case "earliest", "beginning": return .earliest
  case "latest", "end": return .latest
  default:
    guard let number = Int64(text) else {
      throw UsageError("--offset takes a number, earliest or latest, not '\(text)'")
    }
    return number < 0 ? .tail(Int64(clamping: number.magnitude)) : .offset(number)
  }
}

private func recordWriter(_ arguments: Arguments) throws(UsageError) -> (ConsumedRecord, OutputBuffer) -> Void {
  if try arguments.wantsJSON() {
    if arguments.has("f") { throw UsageError("-f and -o json exclude each other") }
    return { record, output in
      recordJSON(record).write(into: output)
      output.append([0x0a])
    }
  }
  var format = RecordFormat.value
  if let text = arguments.text("f") {
    do throws(RecordFormat.FormatError) { format = try RecordFormat(text) } catch {
      throw UsageError("-f: \(error)")
    }
  }
  return { [format] record, output in format.write(record, into: output) }
}

private func recordJSON(_ record: ConsumedRecord) -> JSON {
  var headers: [JSON] = []
  record.forEachHeader { name, value in headers.append(.object([("name", .string(name)), ("value", textJSON(value))])) }
  return .object([
    ("topic", .string(record.topic)), ("partition", .integer(record.partition)), ("offset", .integer(record.offset)),
    ("timestamp", .integer(record.timestamp)), ("key", textJSON(record.key)), ("value", textJSON(record.value)),
    ("headers", .array(headers)),
  ])
}

/// Bytes as text; those that are no UTF-8 are replaced, for JSON has nothing else.
private func textJSON(_ bytes: UnsafeRawBufferPointer?) -> JSON {
  bytes.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null
}
