import Runtime
import Storage

func logDumpCommand() -> Command {
  Command(
    "log dump", "show what a broker's files hold, Kafka's too: batches, indexes, snapshots, checkpoints",
    parameters: [Parameter("FILE|DIR")],
    options: [
      .flag("records", "r", help: "the records of each batch too"),
      .value("offset", as: "N", help: "begin with the batch that holds this offset"),
      .value("n", "count", "max", as: "N", help: "so many batches of each partition, or entries, at most"),
      CommonOptions.json, CommonOptions.output,
    ],
    examples: [
      ("ottla log dump /var/lib/ottla/orders-0", "every batch of a partition"),
      ("ottla log dump /var/lib/ottla/orders-0 --records --offset 42 -n 1", "the batch of offset 42 with its records"),
      ("ottla log dump /var/lib/ottla/orders-0/00000000000000000000.log --json", "one segment, an object a line"),
      ("ottla log dump /var/lib/ottla/orders-0/00000000000000000000.index", "the entries of an index"),
    ]
  ) { arguments in
    let path = LogFolders.resolved(arguments.parameters[0])
    let fileSystem = LinuxFileSystem()
    let isJSON = try arguments.wantsJSON()
    let offset = try arguments.integer("offset", in: 0...Int64.max) ?? 0
    let countMax = try arguments.integer("n", in: 1...Int64.max) ?? .max
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if !fileSystem.isDirectory(path), fileSystem.exists(path), FileListing.knows(name) {
      return try FileDump(isJSON: isJSON, countMax: countMax).show(path, fileSystem)
    }
    let dump = BatchDump(
      showsRecords: arguments.has("records"), isJSON: isJSON, offset: offset, countMax: countMax)
    for segments in try LogFolders.partitions(at: path, fileSystem) { try dump.show(segments, fileSystem) }
    if dump.damageCount > 0 { throw CommandFailure("damage found; `ottla log verify` looks at all of it") }
  }
}
