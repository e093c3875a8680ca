package import Cluster
internal import Configuration
package import Coordination
internal import Effects
internal import Observability
package import Primitives
internal import Storage

/// The controller and its log, on the shard that hosts them: decides commands, appends what they lead to, and tells every
/// shard. A command is answered when all shards of this broker have applied it, so that the next Metadata request sees it.
package final class ControllerHost {
  typealias Finish = (Result<ControllerReply, KafkaError>) -> Void

  let coordination: any CoordinationService
  var controller: Controller
  /// Until the log is loaded nothing is decided.
  var isLoaded = false
  /// Commands whose records are being appended.
  var appending: [RequestToken: (reply: ControllerReply, finish: Finish)] = [:]
  /// Who waits until this broker is part of the cluster.
  var whenRegistered: Finish?
  /// Images that not all shards have applied yet: how many are missing, and whom to answer then.
  var spreading: [UInt64: (missing: Int, finishes: [() -> Void])] = [:]
  var latestImage: UInt64 = 0
  /// Images in which topics are gone that some shard still has open.
  var deletionsSpreading: Set<UInt64> = []
  /// Checkpoint files that have yet to forget deleted topics, and cleanings of their logs that have yet to end.
  var forgettingCount = 0
  /// Those that could not be written.
  var unforgotten: Set<OffsetCheckpoint.Name> = []
  /// Commands that wait for both to end: until then another topic must not get such a name, for it would get the folders
  /// under the open logs.
  var delayed: [(command: ControllerCommand, finish: Finish)] = []

  var mayDecide: Bool { deletionsSpreading.isEmpty && forgettingCount == 0 }

  package init(coordination: any CoordinationService, controller: Controller) {
    self.coordination = coordination
    self.controller = controller
  }
}

extension Shard {
  /// Takes the controller in and brings this broker's image up: loads the log, founds the cluster if there is none,
  /// registers the broker. `ready` is called when every shard has the image.
  package func host(
    _ host: ControllerHost, clusterID: String, presence: BrokerPresence,
    ready: @escaping (Result<Void, KafkaError>) -> Void
  ) {
    precondition(index == Self.controllerShard, "shard \(index) does not host the controller")
    controllerHost = host
    pollCoordination()
    let register = { [unowned self] in
      host.whenRegistered = { [unowned self] result in
        guard case .success = result, !startMode.wasCleanShutdown else {
          return whenCheckpointsAreWritten { ready(result.map { _ in () }) }
        }
        syncAll { [unowned self] in whenCheckpointsAreWritten { ready(result.map { _ in () }) } }
      }
      host.coordination.register(presence)
      pollCoordination()
    }
    guard host.controller.image.clusterID.isEmpty else { return register() }
    if logDirsHoldPartitions {
      // A new cluster would take the names of these partitions for its own.
      let message =
        "\(config.logDirs.joined(separator: ", ")) holds partitions, but its cluster-metadata knows of no cluster: bring "
        + "that folder back from a copy, or start with an empty data folder"
      return ready(.failure(KafkaError(.unknownServerError, message)))
    }
    run(.createCluster(id: clusterID)) { result in
      switch result {
      case .success: register()
      case .failure(let error): ready(.failure(error))
      }
    }
  }

  /// The epoch under which this broker is known; -1 before it is.
  package var brokerEpoch: Int64 { image.brokers[brokerID]?.epoch ?? -1 }

  /// Gives the controller a command, wherever it lives; `finish` is called on this shard, when this shard's image has it.
  func command(_ command: ControllerCommand, finish: @escaping (Result<ControllerReply, KafkaError>) -> Void) {
    if index == Self.controllerShard { return run(command, finish: finish) }
    let token = makeToken()
    controllerWaits[token] = finish
    environment.links.send(.controller(from: index, token, command), to: Self.controllerShard)
  }

  /// Decides a command on the controller's shard.
  func run(_ command: ControllerCommand, finish: @escaping ControllerHost.Finish) {
    guard let host = controllerHost, host.isLoaded else {
      return finish(.failure(KafkaError(.notController, "the cluster's metadata is still being loaded")))
    }
    guard isWorking(0) else { return finish(.failure(Self.metadataFolderFailed)) }
    if command.makesPartitions, !host.unforgotten.isEmpty { return finish(.failure(Self.noRoomToForget)) }
    guard host.mayDecide else { return host.delayed.append((command, finish)) }
    let decision: Decision<MetadataRecord, ControllerReply>
    do throws(KafkaError) { decision = try host.controller.decide(command, at: wallClock) } catch {
      return finish(.failure(error))
    }
    guard !decision.records.isEmpty else { return finish(.success(decision.reply)) }
    let token = makeToken()
    host.appending[token] = (decision.reply, finish)
    host.coordination.append(decision.records, token: token)
    pollCoordination()
  }

  /// Takes in what the metadata log has to say.
  func pollCoordination() {
    guard let host = controllerHost else { return }
    for event in host.coordination.poll() {
      switch event {
      case .committed(let committed): replay(committed, host)
      case .appended(let token, _):
        guard let (reply, finish) = host.appending.removeValue(forKey: token) else { continue }
        whenSpread(host) { finish(.success(reply)) }
      case .appendFailed(let token, let error):
        environment.logger.error("the metadata log took no records: \(error.message ?? error.code.name)")
        host.appending.removeValue(forKey: token)?.finish(.failure(error))
      case .brokersPresent(let present):
        run(.brokersPresent(present)) { result in
          let finish = host.whenRegistered
          host.whenRegistered = nil
          finish?(result)
        }
      case .elected, .controllerChanged, .registered, .unregistered, .connectionChanged, .refused,
        .closed:
        break
      case .resigned:
        failFolder(0, IOError(operation: "the metadata log", path: config.logDirs[0], errno: 5))
      case .loaded:
        host.isLoaded = true
        let image = host.controller.image
        if !image.clusterID.isEmpty { setStraysAside(image) }
        spread(image, ClusterDelta.collect(image.snapshotRecords(), before: ClusterImage(), after: image), host)
      }
    }
  }

  private func replay(_ committed: CommittedRecords, _ host: ControllerHost) {
    let before = host.controller.image
    var offset = committed.firstOffset
    for record in committed.records {
      host.controller.replay(record, at: offset)
      offset = offset.advanced(by: 1)
    }
    // Until all is loaded only the controller follows: a topic that was deleted since must not come up again, not even
    // for a moment, for another may have its name and its folders now.
    guard host.isLoaded else { return }
    let after = host.controller.image
    spread(after, ClusterDelta.collect(committed.records, before: before, after: after), host)
  }

  /// Lets every shard of this broker apply an image.
  private func spread(_ image: ClusterImage, _ delta: ClusterDelta, _ host: ControllerHost) {
    host.latestImage += 1
    if count > 1 {
      host.spreading[host.latestImage] = (count - 1, [])
      if !delta.topicsDeleted.isEmpty { host.deletionsSpreading.insert(host.latestImage) }
    }
    for shard in 0..<count where shard != index {
      environment.links.send(.image(image, delta, sequence: host.latestImage), to: shard)
    }
    // Opening many logs takes long, and all shards do it at the same time.
    environment.links.post()
    apply(image, delta)
    guard !delta.topicsDeleted.isEmpty else { return }
    host.forgettingCount += 1
    whenNoGoneLogIsCleaned { [unowned self] in forgotten() }
  }

  private func whenSpread(_ host: ControllerHost, _ finish: @escaping () -> Void) {
    guard host.spreading[host.latestImage] != nil else { return finish() }
    host.spreading[host.latestImage]?.finishes.append(finish)
  }

  private static let noRoomToForget = KafkaError(
    .kafkaStorageError,
    "a data folder is full: topics can be made when there is room, for its checkpoints still speak of deleted ones")

  private static let metadataFolderFailed = KafkaError(
    .kafkaStorageError, "the data folder that holds the cluster's metadata has failed")

  /// Another shard has applied an image. Images are applied in order, so an older one never comes after a newer one.
  func imageApplied(_ sequence: UInt64) {
    guard let host = controllerHost, let spreading = host.spreading[sequence] else { return }
    guard spreading.missing == 1 else {
      host.spreading[sequence]?.missing -= 1
      return
    }
    host.spreading[sequence] = nil
    for finish in spreading.finishes { finish() }
    if host.deletionsSpreading.remove(sequence) != nil { runDelayedCommands(host) }
  }

  /// Commands that waited for a deletion go on, or fail where the folder of the metadata has failed meanwhile.
  func runDelayedCommands(_ host: ControllerHost) {
    guard host.mayDecide || !isWorking(0) else { return }
    let delayed = host.delayed
    host.delayed.removeAll()
    for (command, finish) in delayed { run(command, finish: finish) }
  }
}
