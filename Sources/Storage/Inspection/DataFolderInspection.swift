package import Effects
internal import Primitives
internal import Records

/// Looks for damage in a stopped broker's files, Kafka's or ours, and changes nothing.
///
/// Formats 0 to 2 of batches, offset and time indexes, and the small files beside them. What it finds is told one by one.
package struct DataFolderInspection {
  /// What `path` is.
  package enum Kind: Sendable {
    case dataFolder, partition, segment
  }

  private let path: String
  private let fileSystem: any FileSystem
  private let report: (InspectionFinding) -> Void
  private let progress: (_ path: String, _ byteCount: Int) -> Void
  private let decompressor = Decompressor()

  /// The five files of a data folder that give offsets to partitions.
  private static let checkpoints = [
    OffsetCheckpoint.Name.recoveryPoint.rawValue, OffsetCheckpoint.Name.logStartOffset.rawValue,
    "replication-offset-checkpoint", cleanerCheckpoint,
  ]
  private static let cleanerCheckpoint = "cleaner-offset-checkpoint"
  private static let otherNames: Set<String> = [
    ".lock", ".kafka_cleanshutdown", BootMark.name, ".known_folders", "meta.properties", "cluster-metadata",
    "bootstrap.checkpoint",
  ]
  /// Topics that are compacted whatever anybody says.
  private static let compactedTopics: Set<String> = ["__consumer_offsets", "__transaction_state", "__cluster_metadata"]

  /// - Parameters:
  ///   - report: told of everything that is found.
  ///   - progress: told of the segment that is being read, and of the bytes of it that have been passed since the last
  ///     call.
  package init(
    _ path: String, fileSystem: any FileSystem, report: @escaping (InspectionFinding) -> Void,
    progress: @escaping (_ path: String, _ byteCount: Int) -> Void = { _, _ in }
  ) {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    self.path = String(path)
    self.fileSystem = fileSystem
    self.report = report
    self.progress = progress
  }

  /// What `path` is; nil when it is nothing of a broker's. Throws what listing it threw.
  package static func kind(of path: String, _ fileSystem: any FileSystem) throws(IOError) -> Kind? {
    if !fileSystem.isDirectory(path) { return segmentBase(of: path) == nil ? nil : .segment }
    let names = try fileSystem.list(path)
    if names.contains(where: { LogFileName.baseOffset(of: $0, suffix: LogFileName.log) != nil }) { return .partition }
    if names.contains(where: { otherNames.contains($0) || checkpoints.contains($0) }) { return .dataFolder }
    let isPartition = { (name: String) in
      LogFileName.topicPartition(ofFolder: name) != nil && fileSystem.isDirectory(path + "/" + name)
    }
    return names.contains(where: isPartition) ? .dataFolder : nil
  }

  /// Looks at everything in it.
  package func run(_ kind: Kind) -> InspectionCounts {
    var counts = InspectionCounts()
    switch kind {
    case .dataFolder: inspectFolder(&counts)
    case .partition: inspectPartition(path, onlyBase: nil, &counts)
    case .segment: inspectPartition(Self.parent(of: path), onlyBase: Self.segmentBase(of: path), &counts)
    }
    return counts
  }

  private static func segmentBase(of path: String) -> Int64? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return LogFileName.baseOffset(of: name, suffix: LogFileName.log)?.value
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  private func find(
    _ severity: InspectionSeverity, _ path: String, _ what: String, _ counts: inout InspectionCounts
  ) {
    let finding = InspectionFinding(severity, path, what)
    counts.count(finding)
    report(finding)
  }

  // MARK: a data folder

  private func inspectFolder(_ counts: inout InspectionCounts) {
    let names: [String]
    do throws(IOError) { names = try fileSystem.list(path) } catch {
      return find(.damage, path, "cannot be read: \(error)", &counts)
    }
    let offsets = readCheckpoints(in: path, &counts)
    checkIdentity(names, &counts)
    for name in names {
      let inner = path + "/" + name
      let isFolder = fileSystem.isDirectory(inner)
      if Self.checkpoints.contains(name) || Self.otherNames.contains(name) { continue }
      if let partition = LogFileName.topicPartition(ofFolder: name) {
        guard isFolder else {
          let isThere = fileSystem.exists(inner)
          let what =
            isThere ? "a file, where a partition's folder should be" : "leads nowhere: a broken or circular link"
          find(.damage, inner, what, &counts)
          continue
        }
        inspect(partition, in: inner, offsets, onlyBase: nil, &counts)
      } else {
        find(.note, inner, Self.purpose(of: name, isFolder: isFolder), &counts)
      }
    }
  }

  private static func purpose(of name: String, isFolder: Bool) -> String {
    if isFolder, LogFileName.isDeletedFolder(name) { return "of a deleted topic; the broker removes it" }
    if isFolder, name.hasSuffix("-stray") { return "of a partition that the cluster does not know; keep or remove it" }
    if isFolder, name.hasSuffix("-future") { return "a partition that was being moved between folders" }
    if name.hasSuffix(".tmp") { return "unfinished; the broker writes it anew" }
    return "is none of a broker's files; it is left alone"
  }

  private func inspect(
    _ partition: TopicPartition, in directory: String, _ offsets: [String: [TopicPartition: Offset]],
    onlyBase: Int64?, _ counts: inout InspectionCounts
  ) {
    var inspection = PartitionInspection(
      directory: directory,
      mayHaveGaps: Self.compactedTopics.contains(partition.topic)
        || offsets[Self.cleanerCheckpoint]?[partition] != nil,
      checkpointed: Self.checkpoints.compactMap { name in
        name == Self.cleanerCheckpoint ? nil : offsets[name]?[partition].map { (name, $0.value) }
      }, fileSystem: fileSystem, decompressor: decompressor)
    inspection.onlyBase = onlyBase
    var found: [InspectionFinding] = []
    inspection.run(
      &counts,
      { finding in
        found.append(finding)
        report(finding)
      }, progress)
    for finding in found { counts.count(finding) }
  }

  /// One partition, with what the folder around it says, if it is a data folder.
  private func inspectPartition(_ directory: String, onlyBase: Int64?, _ counts: inout InspectionCounts) {
    let name = directory.split(separator: "/").last.map(String.init) ?? directory
    guard let partition = LogFileName.topicPartition(ofFolder: name) else {
      return inspect(TopicPartition(name, 0), in: directory, [:], onlyBase: onlyBase, &counts)
    }
    var ignored = InspectionCounts()
    let offsets = readCheckpoints(in: Self.parent(of: directory), &ignored, isQuiet: true)
    inspect(partition, in: directory, offsets, onlyBase: onlyBase, &counts)
  }

  private func readCheckpoints(
    in directory: String, _ counts: inout InspectionCounts, isQuiet: Bool = false
  ) -> [String: [TopicPartition: Offset]] {
    var offsets: [String: [TopicPartition: Offset]] = [:]
    for name in Self.checkpoints {
      let path = directory + "/" + name
      guard fileSystem.exists(path) else { continue }
      do throws(IOError) {
        let text = String(decoding: try fileSystem.readAll(path), as: UTF8.self)
        if let parsed = OffsetCheckpoint.parse(text) {
          offsets[name] = parsed
        } else if !isQuiet {
          find(.warning, path, "is no list of offsets; the broker does without it", &counts)
        }
      } catch {
        if !isQuiet { find(.warning, path, "cannot be read: \(error)", &counts) }
      }
    }
    return offsets
  }

  /// Whose folder it is, in Kafka's words of before (version 0) and since KRaft (version 1).
  private func checkIdentity(_ names: [String], _ counts: inout InspectionCounts) {
    let path = path + "/meta.properties"
    guard names.contains("meta.properties") else {
      return find(.note, path, "is missing: nothing says whose folder this is", &counts)
    }
    do throws(IOError) {
      let text = String(decoding: try fileSystem.readAll(path, byteCountMax: 65_536), as: UTF8.self)
      if let problem = FolderProperties.problem(in: text) { find(.damage, path, problem, &counts) }
    } catch { find(.damage, path, "cannot be read: \(error)", &counts) }
  }
}
