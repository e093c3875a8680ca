package import Effects
package import Primitives

/// What a data folder says about whom it belongs to: Kafka's `meta.properties`, version 1.
package struct FolderIdentity: Sendable, Equatable {
  /// `cluster.id`.
  package let clusterID: String
  /// `node.id`.
  package let nodeID: BrokerID
  /// `directory.id`: the folder's own.
  package let directoryID: UUID
  package init(clusterID: String, nodeID: BrokerID, directoryID: UUID) {
    self.clusterID = clusterID
    self.nodeID = nodeID
    self.directoryID = directoryID
  }
}

/// The cluster that a node's data folders belong to, and the folders' own ids in the order in which they were given.
package struct NodeIdentity: Sendable, Equatable {
  /// The id of the cluster, 22 characters where we made it.
  package let clusterID: String
  /// The node whose folders these are.
  package let nodeID: BrokerID
  /// One for each folder.
  package let directoryIDs: [UUID]
}

/// The file `meta.properties` in each data folder: it keeps a broker from starting on another one's data.
package enum IdentityFile {
  /// The file's name in each folder.
  package static let name = "meta.properties"
  /// Far above what the file holds.
  private static let byteCountMax = 65_536

  /// Checks the file of each folder and writes those that are missing, for there is no format step.
  ///
  /// - Parameters:
  ///   - clusterID: the cluster's id where it is known already (from the metadata log, or from a cluster that this node
  ///     joins); otherwise the folders' own counts, or a new one is made.
  ///   - random: 64 random bits.
  /// - Throws: `.identityMismatch` when a file is of another node, of another cluster, or of no version we know.
  package static func establish(
    fileSystem: any FileSystem, directories: [String], nodeID: BrokerID, clusterID: String?, random: () -> UInt64
  ) throws(StartError) -> NodeIdentity {
    var cluster = clusterID.map { (id: $0, origin: "by its metadata log") }
    var found: [FolderIdentity?] = []
    for directory in directories {
      let identity = try read(fileSystem: fileSystem, directory: directory)
      found.append(identity)
      guard let identity else { continue }
      let path = path(in: directory)
      try check(identity, nodeID: nodeID, cluster: cluster, path: path)
      cluster = cluster ?? (id: identity.clusterID, origin: "that of \(path)")
    }
    let id = cluster?.id ?? UUID(random: random).description
    var directoryIDs: [UUID] = []
    for (directory, identity) in zip(directories, found) {
      let directoryID = identity?.directoryID ?? UUID(random: random)
      directoryIDs.append(directoryID)
      if identity == nil {
        let identity = FolderIdentity(clusterID: id, nodeID: nodeID, directoryID: directoryID)
        try write(identity, fileSystem: fileSystem, directory: directory)
      }
    }
    return NodeIdentity(clusterID: id, nodeID: nodeID, directoryIDs: directoryIDs)
  }

  /// The cluster that the folders belong to, as far as their files say; writes nothing. nil where none says so.
  ///
  /// - Throws: `.identityMismatch` as `establish`.
  package static func clusterID(
    fileSystem: any FileSystem, directories: [String], nodeID: BrokerID, clusterID: String?
  ) throws(StartError) -> String? {
    var cluster = clusterID.map { (id: $0, origin: "by its metadata log") }
    for directory in directories {
      guard let identity = try read(fileSystem: fileSystem, directory: directory) else { continue }
      let path = path(in: directory)
      try check(identity, nodeID: nodeID, cluster: cluster, path: path)
      cluster = cluster ?? (id: identity.clusterID, origin: "that of \(path)")
    }
    return cluster?.id
  }

  /// The identity of one folder; nil when it has no file.
  ///
  /// - Throws: `.identityMismatch` when the file is not as we, or Kafka since 3.0 with directory ids, write it.
  package static func read(fileSystem: any FileSystem, directory: String) throws(StartError) -> FolderIdentity? {
    let path = path(in: directory)
    guard fileSystem.exists(path) else { return nil }
    let bytes: [UInt8]
    do throws(IOError) {
      bytes = try fileSystem.readAll(path, byteCountMax: byteCountMax)
    } catch {
      throw .io(error)
    }
    return try parse(String(decoding: bytes, as: UTF8.self), path: path)
  }

  private static func write(
    _ identity: FolderIdentity, fileSystem: any FileSystem, directory: String
  ) throws(StartError) {
    let text = """
      # Whose data this folder holds. Made at the first start; do not edit.
      version=1
      cluster.id=\(identity.clusterID)
      node.id=\(identity.nodeID.value)
      directory.id=\(identity.directoryID)

      """
    do throws(IOError) {
      if !fileSystem.exists(directory) { try fileSystem.createDirectory(directory) }
      try fileSystem.replace(path(in: directory), with: Array(text.utf8))
    } catch {
      throw .io(error)
    }
  }

  private static func path(in directory: String) -> String { directory + "/" + name }

  private static func check(
    _ identity: FolderIdentity, nodeID: BrokerID, cluster: (id: String, origin: String)?, path: String
  ) throws(StartError) {
    if identity.nodeID != nodeID {
      throw .identityMismatch(
        path: path,
        reason: "this folder belongs to node \(identity.nodeID.value), but node.id is \(nodeID.value). "
          + "Set node.id=\(identity.nodeID.value), or give this node a folder of its own in log.dirs.")
    }
    if let cluster, identity.clusterID != cluster.id {
      throw .identityMismatch(
        path: path,
        reason: "this folder belongs to the cluster \(identity.clusterID), but the cluster's id is \(cluster.id) "
          + "(\(cluster.origin)). Take the folder out of log.dirs, or move its data away.")
    }
  }

  /// What to do about a file that says nothing: without it a start asks the metadata log, and makes the file anew.
  private static let remedy =
    "Bring the file back from a copy, or, if this folder is this node's for certain, remove it: the start makes it anew."

  private static func parse(_ text: String, path: String) throws(StartError) -> FolderIdentity {
    var values: [Substring: Substring] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let first = line.first, first != "#", first != "!", let equals = line.firstIndex(of: "=") else { continue }
      values[trimmed(line[..<equals])] = trimmed(line[line.index(after: equals)...])
    }
    guard values["version"] == "1" else {
      throw .identityMismatch(
        path: path, reason: "its version is \(values["version"] ?? "missing"); only version 1 can be read. \(remedy)")
    }
    guard let clusterID = values["cluster.id"], !clusterID.isEmpty else {
      throw .identityMismatch(path: path, reason: "it has no cluster.id. \(remedy)")
    }
    guard let nodeID = values["node.id"].flatMap({ Int32($0) }), nodeID >= 0 else {
      throw .identityMismatch(path: path, reason: "it has no node.id, or one that is no number. \(remedy)")
    }
    guard let directoryID = values["directory.id"].flatMap({ UUID($0) }) else {
      throw .identityMismatch(
        path: path, reason: "it has no directory.id, or one that is no id of 22 characters. \(remedy)")
    }
    return FolderIdentity(clusterID: String(clusterID), nodeID: BrokerID(nodeID), directoryID: directoryID)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop { $0 == " " || $0 == "\t" }
    guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return start[...last]
  }
}
