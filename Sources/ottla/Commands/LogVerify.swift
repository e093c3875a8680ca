import Coordination
import Effects
import Runtime
import Storage

func logCommands() -> [Command] { [logDumpCommand(), logVerifyCommand()] }

private func logVerifyCommand() -> Command {
  Command(
    "log verify", "look for damage in a stopped broker's files, Kafka's too; changes nothing",
    parameters: [Parameter("DIR")],
    options: [
      .flag("strict", help: "end with 1 for warnings too, such as a damaged index, which a start makes anew"),
      CommonOptions.json, CommonOptions.output,
    ],
    examples: [
      ("ottla log verify /var/lib/ottla", "a data folder: every partition, and the files beside them"),
      ("ottla log verify /var/lib/ottla/orders-0", "one partition"),
      ("ottla log verify /var/lib/kafka --json", "an object a line for each finding, and one for the whole"),
    ]
  ) { arguments in
    let path = LogFolders.resolved(arguments.parameters[0])
    let verification = Verification(asJSON: try arguments.wantsJSON())
    let counts = try verification.run(path)
    let bad = counts.damages + (arguments.has("strict") ? counts.warnings : 0)
    if bad > 0 { throw CommandFailure("\(bad) problems found") }
  }
}

/// Looks at the files and says what it finds as it finds it.
private final class Verification {
  private let asJSON: Bool
  private let output = StandardOutput()
  private var progress = Progress()
  private var passedByteCount: Int64 = 0

  init(asJSON: Bool) { self.asJSON = asJSON }

  func run(_ path: String) throws -> InspectionCounts {
    let fileSystem = LinuxFileSystem()
    let kind = try LogFolders.kind(of: path, fileSystem)
    if let folder = FolderLock.folderInUse(around: path) {
      throw UsageError("a broker is at work in \(folder); stop it first")
    }
    let inspection = DataFolderInspection(
      path, fileSystem: fileSystem, report: { [self] in show($0) },
      progress: { [self] path, byteCount in
        passedByteCount += Int64(byteCount)
        progress.update { "\(passedByteCount >> 20) MiB checked, at \(path)" }
      })
    var counts = inspection.run(kind)
    if kind == .dataFolder { checkMetadata(path + "/cluster-metadata", fileSystem, &counts) }
    progress.end()
    show(counts)
    return counts
  }

  /// The metadata log of a single node.
  private func checkMetadata(_ directory: String, _ fileSystem: any FileSystem, _ counts: inout InspectionCounts) {
    guard fileSystem.isDirectory(directory) else { return }
    do throws(StartError) {
      let outcome = try MetadataInspection.run(directory, fileSystem: fileSystem)
      guard outcome.tornByteCount > 0 else { return }
      let what = "ends with \(outcome.tornByteCount) bytes of an unfinished change; the next start cuts them off"
      counts.warnings += 1
      show(InspectionFinding(.warning, directory + "/metadata.log", what))
    } catch {
      counts.damages += 1
      if case .damaged(let path, let position, let reason) = error {
        show(InspectionFinding(.damage, path, position: Int64(position), reason + "; restore the file from a backup"))
      } else {
        show(InspectionFinding(.damage, directory, "\(error)"))
      }
    }
  }

  private func show(_ finding: InspectionFinding) {
    progress.end()
    guard asJSON else {
      output.line(finding.description)
      output.flush()
      return
    }
    var members: [(String, JSON)] = [
      ("severity", .string(finding.severity.rawValue)), ("path", .string(finding.path)),
    ]
    if let offsets = finding.offsets {
      members += [("firstOffset", .integer(offsets.lowerBound)), ("lastOffset", .integer(offsets.upperBound))]
    }
    if let position = finding.position { members.append(("position", .integer(position))) }
    JSON.object(members + [("what", .string(finding.what))]).write(into: output.buffer)
    output.line("")
    output.flush()
  }

  private func show(_ counts: InspectionCounts) {
    if asJSON {
      JSON.object([
        ("partitions", .integer(counts.partitions)), ("segments", .integer(counts.segments)),
        ("batches", .integer(counts.batches)), ("records", .integer(counts.records)),
        ("bytes", .integer(counts.bytes)), ("problems", .integer(counts.damages)),
        ("warnings", .integer(counts.warnings)), ("notes", .integer(counts.notes)),
      ]).write(into: output.buffer)
      output.line("")
    } else {
      var line = "\(counts.partitions) partitions, \(counts.segments) segments, \(counts.batches) batches, "
      line += "\(counts.records) records, \(counts.bytes) bytes, \(counts.damages) problems"
      if counts.warnings > 0 { line += ", \(counts.warnings) warnings" }
      output.line(line + (counts.damages + counts.warnings == 0 ? ": all well" : ""))
    }
    output.flush()
  }
}
