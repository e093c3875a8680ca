import Records

func logCommands() -> [Command] { [logDumpCommand(), logVerifyCommand()] }

private func logVerifyCommand() -> Command {
  Command(
    "log verify", "look for damage in a broker's files: checksums, order of offsets, records, indexes",
    parameters: [Parameter("DIR")],
    options: [CommonOptions.output],
    examples: [
      ("ottla log verify /var/lib/ottla", "every partition; stop the broker first, or the last batch may look torn"),
      ("ottla log verify /var/lib/ottla/orders-0", "one partition"),
    ]
  ) { arguments in
    let wantsJSON = try arguments.wantsJSON()
    var total = VerifyTotal()
    var progress = Progress()
    for (folder, segments) in try LogFolders.partitions(at: arguments.parameters[0]) {
      total.partitions += 1
      let decompressor = Decompressor()
      var nextOffset: Int64 = 0
      for segment in segments {
        progress.update { "\(folder): \(total.records) records checked" }
        let check = try SegmentCheck(segment, startOffset: nextOffset, decompressor)
        nextOffset = check.nextOffset
        total.add(check)
      }
    }
    progress.end()
    total.show(asJSON: wantsJSON)
    if !total.problems.isEmpty { throw CommandFailure("\(total.problems.count) problems found") }
  }
}

/// What was looked at, and what was wrong with it.
private struct VerifyTotal {
  var partitions = 0
  var segments = 0
  var batches = 0
  var records = 0
  var bytes = 0
  var problems: [String] = []

  mutating func add(_ check: SegmentCheck) {
    segments += 1
    batches += check.batchCount
    records += check.recordCount
    bytes += check.byteCount
    problems += check.problems
  }

  func show(asJSON: Bool) {
    if asJSON {
      return ottla.show(
        .object([
          ("partitions", .integer(partitions)), ("segments", .integer(segments)), ("batches", .integer(batches)),
          ("records", .integer(records)), ("bytes", .integer(bytes)),
          ("problems", .array(problems.map { .string($0) })),
        ]))
    }
    let output = StandardOutput()
    for problem in problems { output.line(problem) }
    output.line(
      "\(partitions) partitions, \(segments) segments, \(batches) batches, \(records) records, \(bytes) bytes: "
        + (problems.isEmpty ? "all well" : "\(problems.count) problems"))
    output.flush()
  }
}
