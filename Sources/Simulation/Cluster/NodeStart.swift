internal import Broker
internal import Cluster
internal import Configuration
internal import Coordination
internal import Effects
internal import Primitives
internal import Storage

/// What a broker's process finds on its disk when it starts; as Runtime's `RunningBroker` does it.
struct NodeStart {
  let mode: StartMode
  let presence: BrokerPresence
  let clusterID: String?
  private let node: Machine
  private let holdsPartitions: Bool

  init(_ node: Machine) throws {
    self.node = node
    let directory = Machine.directory
    let disk = node.disk
    clusterID = try IdentityFile.clusterID(
      fileSystem: disk, directories: [directory], nodeID: node.id, clusterID: nil)
    let names = try disk.list(directory)
    let leftovers = names.filter { LogFileName.isDeletedFolder($0) }.map { directory + "/" + $0 }
    holdsPartitions = names.contains { LogFileName.topicPartition(ofFolder: $0) != nil }
    let marker = try CleanShutdownMarker.read(logDirectory: directory, fileSystem: disk)
    try CleanShutdownMarker.remove(logDirectory: directory, fileSystem: disk)
    let checkpoints = try FolderCheckpoints(beginning: directory, disk)
    if marker == nil { try disk.syncAll(holding: directory) }
    let incarnation = UUID(random: node.random.next)
    mode = StartMode(
      wasCleanShutdown: marker != nil, incarnation: incarnation, checkpoints: [checkpoints], leftoverFolders: leftovers)
    let lastRun: LastRun =
      if let marker { .stopped(brokerEpoch: marker.brokerEpoch) } else if case .lost = node.lastRun { .lost } else { .killed }
    presence = BrokerPresence(
      id: node.id, rack: node.config.brokerRack,
      endpoints: [BrokerEndpoint(name: "PLAINTEXT", host: node.host, port: 9092)], incarnation: incarnation,
      dataID: .zero, lastRun: lastRun)
  }

  func coordination(_ client: SimulatedEnsembleClient) -> WatchedCoordination {
    var settings = EnsembleSettings(brokerID: node.id, chroot: "/ottla", clusterID: clusterID)
    settings.mayFound = !holdsPartitions
    settings.snapshotNodeCount = node.simulator.knobs.snapshotNodeCount
    #if DEBUG
      settings.mutation = node.simulator.mutation
    #endif
    let service = EnsembleCoordination(ensemble: client, settings: settings, time: node.clock, random: node.random)
    return WatchedCoordination(service, node)
  }

  func identify(_ clusterID: String, _ image: ClusterImage) -> Result<UUID, KafkaError> {
    do {
      let identity = try IdentityFile.establish(
        fileSystem: node.disk, directories: [Machine.directory], nodeID: node.id, clusterID: clusterID,
        random: node.random.next)
      return .success(identity.directoryIDs[0])
    } catch {
      return .failure(KafkaError(.unknownServerError, "\(error)"))
    }
  }
}
