internal import Broker
internal import Cluster
internal import Configuration
package import Coordination
internal import Effects
internal import Observability
internal import Primitives

/// What is needed to reach a ZooKeeper ensemble.
package struct EnsembleOrder: Sendable {
  /// `host:port`, separated by commas.
  package let servers: String
  package let sessionTimeoutMs: Int32
  /// `user:password` for the digest scheme; nil for none.
  package let login: String?
}

/// Makes a client of an ensemble, which calls `wake`, from any thread, when it has something to tell. The program brings it:
/// who embeds a broker that is alone needs no ZooKeeper library.
package typealias EnsembleMaker = @Sendable (EnsembleOrder, _ wake: @escaping @Sendable () -> Void) -> any Ensemble

/// The coordination service of a broker that starts, and what its data folders have to do with it.
struct CoordinationStart: Sendable {
  let config: BrokerConfig
  let surroundings: BrokerSurroundings
  let logger: Logger
  let unusedFolders: UnusedFolders
  /// What the folders say: nil where they are of no cluster yet.
  let clusterID: String?
  /// What this broker knew as a single node.
  let localImage: ClusterImage
  let holdsPartitions: Bool

  private var fileSystem: any FileSystem { surroundings.fileSystem }
  private var directory: String { config.logDirs[0] + "/cluster-metadata" }

  /// A single node's own: a file.
  func local() throws(StartError) -> LocalCoordination {
    let coordination = try LocalCoordination(fileSystem: fileSystem, directory: directory)
    if coordination.recovery.truncatedByteCount > 0 {
      logger.warning(
        "cut \(coordination.recovery.truncatedByteCount) bytes off the metadata log: a change that was not finished")
    }
    return coordination
  }

  /// A cluster's: an ensemble.
  func ensemble(
    _ connect: ZooKeeperConnect, _ make: EnsembleMaker, wake: @escaping @Sendable () -> Void
  ) -> EnsembleCoordination {
    let servers = connect.serversText
    let order = EnsembleOrder(
      servers: servers, sessionTimeoutMs: config.zookeeperSessionTimeoutMs, login: config.zookeeperLogin)
    var settings = EnsembleSettings(brokerID: config.nodeId, chroot: connect.chroot, clusterID: clusterID)
    settings.address = "ZooKeeper at \(connect.text)"
    settings.foundingRecords = localImage.clusterID.isEmpty ? [] : localImage.snapshotRecords()
    settings.mayFound = mayFound
    return EnsembleCoordination(
      ensemble: make(order, wake), settings: settings, time: surroundings.time,
      random: surroundings.random)
  }

  /// Whether this broker may found a cluster in an ensemble that knows of none.
  ///
  /// Folders that are of a cluster already say that there was one: an ensemble that knows nothing of it was wiped, or is the
  /// wrong one. Founded anew under the old id, it would make the other brokers take their partitions for nobody's.
  var mayFound: Bool { !localImage.clusterID.isEmpty || (clusterID == nil && !holdsPartitions) }

  /// The cluster is known: whether the folders are of it, and what their id is.
  func identify(_ clusterID: String, _ image: ClusterImage) -> Result<UUID, KafkaError> {
    if let refusal = unusedFolders.refusal(image, of: config.nodeId) {
      return .failure(KafkaError(.unknownServerError, refusal))
    }
    do {
      let identity = try IdentityFile.establish(
        fileSystem: fileSystem, directories: config.logDirs, nodeID: config.nodeId, clusterID: clusterID,
        random: surroundings.random.next)
      // A single node's metadata lies beside its records, and is lost with them.
      guard config.zookeeperConnect != nil else { return .success(.zero) }
      try putLocalMetadataAside()
      return .success(identity.directoryIDs[0])
    } catch {
      return .failure(KafkaError(.unknownServerError, "\(error)"))
    }
  }

  /// The cluster's metadata is in the ensemble from now on. What was there before is kept, under a name that no start reads:
  /// a broker that went back to it would find topics that are gone, and miss others.
  private func putLocalMetadataAside() throws(IOError) {
    guard fileSystem.isDirectory(directory) else { return }
    var aside = directory + ".before-cluster"
    var number = 1
    while fileSystem.exists(aside) {
      number += 1
      aside = directory + ".before-cluster-\(number)"
    }
    try fileSystem.rename(directory, to: aside)
    try fileSystem.syncDirectory(config.logDirs[0])
    logger.info("the metadata of this broker as a single node is kept in \(aside); the ensemble has it now")
  }
}
