internal import Effects
internal import Primitives
internal import Records

/// Looks at one partition's folder.
struct PartitionInspection {
  let directory: String
  let mayHaveGaps: Bool
  /// Offsets that files of the data folder give for the partition, by the file's name.
  let checkpointed: [(name: String, offset: Int64)]
  let fileSystem: any FileSystem
  let decompressor: Decompressor

  /// Only this segment is looked at; nil for all.
  var onlyBase: Int64?

  /// - Parameter progress: told of the segment and of bytes of it that have been passed.
  func run(
    _ counts: inout InspectionCounts, _ report: (InspectionFinding) -> Void, _ progress: (String, Int) -> Void
  ) {
    counts.partitions += 1
    let names: [String]
    do throws(IOError) { names = try fileSystem.list(directory) } catch {
      return report(InspectionFinding(.damage, directory, "cannot be read: \(error)"))
    }
    let bases = names.compactMap { LogFileName.baseOffset(of: $0, suffix: LogFileName.log) }.map(\.value).sorted()
    var due: Int64?
    var epochs: [(epoch: Int32, startOffset: Int64)] = []
    for (number, base) in bases.enumerated() where onlyBase == nil || onlyBase == base {
      let name = LogFileName.name(Offset(base), "")
      let isLast = number + 1 == bases.count
      if fileSystem.isDirectory("\(directory)/\(name).log") {
        report(InspectionFinding(.damage, "\(directory)/\(name).log", "a folder, where a segment should be"))
        continue
      }
      var segment = SegmentInspection(
        stem: "\(directory)/\(name)", baseOffset: base, nextBase: isLast ? nil : bases[number + 1], due: due,
        mayHaveGaps: mayHaveGaps, fileSystem: fileSystem, decompressor: decompressor)
      segment.run { progress("\(directory)/\(name).log", $0) }
      counts.segments += 1
      counts.batches += segment.batchCount
      counts.records += segment.recordCount
      counts.bytes += segment.byteCount
      due = segment.nextOffset
      for begun in segment.epochs where begun.epoch > epochs.last?.epoch ?? -1 { epochs.append(begun) }
      for finding in segment.findings { report(finding) }
    }
    guard onlyBase == nil else { return }
    if bases.isEmpty { report(InspectionFinding(.note, directory, "holds no segment")) }
    let start = bases.first ?? 0
    checkCheckpoints(start: start, end: due ?? start, report)
    for name in names { checkFile(name, bases: bases, end: due ?? start, epochs, report) }
  }

  /// What the data folder's checkpoints say, held against the log.
  private func checkCheckpoints(start: Int64, end: Int64, _ report: (InspectionFinding) -> Void) {
    let parent = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
    for (name, offset) in checkpointed where offset > end {
      let path = "\(parent)/\(name)"
      switch name {
      case OffsetCheckpoint.Name.recoveryPoint.rawValue:
        report(
          InspectionFinding(
            .damage, directory, offsets: end...(offset - 1),
            "missing: \(path) says that the disk held the log up to \(offset), and it ends at \(end)"))
      default:
        report(
          InspectionFinding(
            .warning, path,
            "says \(offset) for \(directory.split(separator: "/").last ?? ""), whose log ends at \(end)"))
      }
    }
  }

  private func checkFile(
    _ name: String, bases: [Int64], end: Int64, _ epochs: [(epoch: Int32, startOffset: Int64)],
    _ report: (InspectionFinding) -> Void
  ) {
    let path = "\(directory)/\(name)"
    func find(_ severity: InspectionSeverity, _ what: String) { report(InspectionFinding(severity, path, what)) }
    let check = PartitionFileCheck(path: path, fileSystem: fileSystem)
    for suffix in [LogFileName.offsetIndex, LogFileName.timeIndex, ".txnindex"] {
      guard let base = LogFileName.baseOffset(of: name, suffix: suffix)?.value else { continue }
      if !bases.contains(base) { find(.warning, "there is no segment for it") }
      if suffix == ".txnindex", let problem = check.abortedTransactions() { find(.warning, problem) }
      return
    }
    if LogFileName.baseOffset(of: name, suffix: LogFileName.log) != nil { return }
    if let offset = LogFileName.baseOffset(of: name, suffix: LogFileName.producerSnapshot)?.value {
      if let problem = check.producers() {
        return find(.warning, problem + "; producers are read from the log instead")
      }
      if offset > end { find(.warning, "is of an offset behind the end of the log, \(end); it is not used") }
      return
    }
    switch name {
    case LogFileName.leaderEpochs:
      if let problem = check.leaderEpochs(epochs, end: end) { find(.warning, problem) }
    case LogFileName.partitionMetadata:
      if let problem = check.topicID() { find(.warning, problem) }
    case "append-time-checkpoint", "quorum-state": break
    default:
      if name.hasSuffix(".checkpoint") { return checkSnapshot(path, report) }
      find(.note, PartitionFileCheck.purpose(of: name))
    }
  }

  /// A snapshot of Kafka's metadata log: batches from offset 0 on, whatever its name says.
  private func checkSnapshot(_ path: String, _ report: (InspectionFinding) -> Void) {
    do throws(IOError) {
      var walk = SegmentWalk(try FileWindow(path, fileSystem: fileSystem), base: 0, limit: nil)
      while let element = try walk.next() {
        if case .damage(let damage) = element {
          report(InspectionFinding(.damage, path, position: damage.position, damage.reason))
        }
      }
    } catch { report(InspectionFinding(.damage, path, "cannot be read: \(error)")) }
  }
}
