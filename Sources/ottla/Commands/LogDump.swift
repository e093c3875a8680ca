import Client
import Primitives
import Records

func logDumpCommand() -> Command {
  Command(
    "log dump", "show the batches in a broker's files",
    parameters: [Parameter("DIR")],
    options: [
      .flag("records", "r", help: "the records of each batch too"),
      .value("offset", as: "N", help: "begin with the batch that holds this offset"),
      .value("n", "count", as: "N", help: "so many batches of each partition at most"),
      CommonOptions.output,
    ],
    examples: [
      ("ottla log dump /var/lib/ottla/orders-0", "every batch of a partition"),
      ("ottla log dump /var/lib/ottla/orders-0 --records --offset 42 -n 1", "the batch of offset 42 with its records"),
      ("ottla log dump /var/lib/ottla/orders-0/00000000000000000000.log -o json", "one segment, an object a line"),
    ]
  ) { arguments in
    let dump = BatchDump(
      showsRecords: arguments.has("records"), isJSON: try arguments.wantsJSON(),
      offset: try arguments.integer("offset", in: 0...Int64.max) ?? 0,
      countMax: try arguments.integer("n", in: 1...Int64.max) ?? .max)
    for (_, segments) in try LogFolders.partitions(at: arguments.parameters[0]) { try dump.show(segments) }
    if dump.damageCount > 0 { throw CommandFailure("damage found; `ottla log verify` looks at all of it") }
  }
}

/// Writes batches, and their records where asked to.
private final class BatchDump {
  private let showsRecords: Bool
  private let isJSON: Bool
  private let offset: Int64
  private let countMax: Int64
  private let output = StandardOutput()
  private let decompressor = Decompressor()
  private(set) var damageCount = 0

  /// A batch may decompress to this much.
  private static let recordsBytesMax = 1 << 30

  init(showsRecords: Bool, isJSON: Bool, offset: Int64, countMax: Int64) {
    self.showsRecords = showsRecords
    self.isJSON = isJSON
    self.offset = offset
    self.countMax = countMax
  }

  /// Shows the batches of one partition.
  func show(_ segments: [SegmentPath]) throws {
    var count: Int64 = 0
    for (position, segment) in segments.enumerated() where count < countMax && !output.hasFailed {
      // A segment that ends before the wanted offset is not even opened.
      if position + 1 < segments.count, segments[position + 1].baseOffset <= offset { continue }
      if !isJSON { output.line(segment.log) }
      let ending = try BatchWalk.walk(try WindowedFile(segment.log)) { batch in
        guard batch.header.lastOffset.value >= offset else { return true }
        show(batch, in: segment)
        output.flushIfFull()
        count += 1
        return count < countMax && !output.hasFailed
      }
      if case .damage(let position, let what) = ending {
        damageCount += 1
        output.flush()
        standardError("\(segment.log): at byte \(position): \(what)\n")
      }
    }
    output.flush()
  }

  private func show(_ batch: PlacedBatch, in segment: SegmentPath) {
    let isRight = batch.header.checksumMatches(batch.bytes)
    if !isRight { damageCount += 1 }
    if isJSON {
      json(batch, in: segment, isRight).write(into: output.buffer)
      output.line("")
    } else {
      output.line(text(batch.header, position: batch.position, isRight))
      if showsRecords, isRight { for record in records(of: batch) { output.line("    " + record.text) } }
    }
  }

  private func text(_ header: RecordBatchHeader, position: Int, _ isRight: Bool) -> String {
    var line = "  \(header.baseOffset.value)..\(header.lastOffset.value) at byte \(position), "
    line += "\(header.totalByteCount) bytes, \(header.recordCount) records, \(codec(header)), "
    line += "epoch \(header.partitionLeaderEpoch.value), \(PointInTime.text(clamped(header.maxTimestamp)))"
    if header.producerID != .none {
      line += ", producer \(header.producerID.value)/\(header.producerEpoch.value) from \(header.baseSequence)"
    }
    if header.attributes.isTransactional { line += ", transactional" }
    if header.attributes.isControl { line += ", control" }
    return line + (isRight ? "" : ", WRONG CHECKSUM")
  }

  private func codec(_ header: RecordBatchHeader) -> String {
    header.attributes.compression.map { "\($0)" } ?? "codec \(header.attributes.rawValue & 7)"
  }

  private func json(_ batch: PlacedBatch, in segment: SegmentPath, _ isRight: Bool) -> JSON {
    let header = batch.header
    var members: [(String, JSON)] = [
      ("file", .string(segment.log)), ("position", .integer(batch.position)),
      ("bytes", .integer(header.totalByteCount)),
      ("baseOffset", .integer(header.baseOffset.value)), ("lastOffset", .integer(header.lastOffset.value)),
      ("records", .integer(header.recordCount)), ("compression", .string(codec(header))),
      ("leaderEpoch", .integer(header.partitionLeaderEpoch.value)),
      ("baseTimestamp", .integer(header.baseTimestamp.milliseconds)),
      ("maxTimestamp", .integer(header.maxTimestamp.milliseconds)), ("producerId", .integer(header.producerID.value)),
      ("producerEpoch", .integer(Int32(header.producerEpoch.value))), ("baseSequence", .integer(header.baseSequence)),
      ("transactional", .bool(header.attributes.isTransactional)), ("control", .bool(header.attributes.isControl)),
      ("logAppendTime", .bool(header.attributes.isLogAppendTime)), ("checksum", .integer(Int64(header.checksum))),
      ("checksumOk", .bool(isRight)),
    ]
    if showsRecords, isRight { members.append(("content", .array(records(of: batch).map(\.json)))) }
    return .object(members)
  }

  private func records(of batch: PlacedBatch) -> [DumpedRecord] {
    var records: [DumpedRecord] = []
    do throws(RecordError) {
      try forEachRecord(in: batch.bytes, decompressor: decompressor, byteCountMax: Self.recordsBytesMax) {
        (record, memory) throws(RecordError) in
        records.append(try DumpedRecord(record, of: batch.header, in: memory))
        return true
      }
    } catch {
      damageCount += 1
      standardError("the batch at offset \(batch.header.baseOffset.value): \(error)\n")
    }
    return records
  }
}

/// A record as it is shown.
private struct DumpedRecord {
  let text: String
  let json: JSON

  init(
    _ record: RecordView, of header: RecordBatchHeader, in memory: UnsafeRawBufferPointer
  ) throws(RecordError) {
    let offset = header.offset(of: record).value
    let timestamp = header.timestamp(of: record)
    let key = record.key.map { String(decoding: memory[$0], as: UTF8.self) }
    let value = record.value.map { String(decoding: memory[$0], as: UTF8.self) }
    var headers: [(name: String, value: String?)] = []
    try record.forEachHeader(in: memory) { name, value in
      headers.append(
        (
          String(decoding: memory[name], as: UTF8.self), value.map { String(decoding: memory[$0], as: UTF8.self) }
        ))
    }
    var line = "\(offset) \(PointInTime.text(clamped(timestamp))) key \(shown(key)) value \(shown(value))"
    for (name, value) in headers { line += " \(name)=\(shown(value))" }
    if header.attributes.isControl { line += Self.marker(record, in: memory) }
    text = line
    json = .object([
      ("offset", .integer(offset)), ("timestamp", .integer(timestamp.milliseconds)), ("key", .optional(key)),
      ("value", .optional(value)),
      ("headers", .array(headers.map { .object([("name", .string($0.name)), ("value", .optional($0.value))]) })),
    ])
  }

  private static func marker(_ record: RecordView, in memory: UnsafeRawBufferPointer) -> String {
    guard let key = record.key, let value = record.value,
      let marker = ControlRecord(
        key: UnsafeRawBufferPointer(rebasing: memory[key]), value: UnsafeRawBufferPointer(rebasing: memory[value]))
    else { return "" }
    return " (\(marker.kind) of coordinator epoch \(marker.coordinatorEpoch))"
  }
}

/// Text in quotes, what cannot be shown escaped; null without.
private func shown(_ text: String?) -> String {
  guard let text else { return "null" }
  let buffer = OutputBuffer()
  JSON.string(text).write(into: buffer)
  return String(decoding: buffer.bytes, as: UTF8.self)
}

/// A time from a file, kept inside of what a calendar has room for.
private func clamped(_ timestamp: Timestamp) -> Int64 {
  min(max(timestamp.milliseconds, -62_135_596_800_000), 253_402_300_799_999)
}
