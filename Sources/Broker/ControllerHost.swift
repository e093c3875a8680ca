package import Cluster
internal import Configuration
package import Coordination
internal import Effects
internal import Observability
package import Primitives
internal import Storage

/// The controller and the coordination service, on the shard that hosts them: what is committed in the metadata log becomes
/// the image of every shard; where this broker is the elected controller, commands are decided here, else passed on.
///
/// A command is answered when all shards of this broker have applied it, so that the next Metadata request sees it.
package final class ControllerHost {
  typealias Finish = (Result<ControllerReply, KafkaError>) -> Void

  let coordination: any CoordinationService
  /// Holds what is committed, and nothing else: a decision changes it when its records come back from the log.
  var controller: Controller
  /// Until the log is loaded nothing is decided.
  var isLoaded = false
  /// Whether this broker is the one that decides.
  var isElected = false
  /// Which broker is; `.none` while there is no one.
  var controllerID = BrokerID.none
  /// The id that a cluster gets which has none yet.
  var clusterID: String
  /// Looks whether the data folders and the cluster fit each other, now that it is known, and says what the folders' id is.
  let identify: (_ clusterID: String, ClusterImage) -> Result<UUID, KafkaError>
  /// Commands to decide, in the order of their coming. They wait for the append that is under way, and for deletions: no
  /// topic may get the folders of another under its open logs.
  var queue: [(command: ControllerCommand, finish: Finish)] = []
  /// Commands that wait for a controller to be there, and until when.
  var heldCommands: [(command: ControllerCommand, deadline: Instant, finish: Finish)] = []
  /// The records on their way into the log, and who waits for them.
  var appending: Append?
  /// The brokers alive, as the coordination service told last, and whether that has led to its decision yet.
  var present: [PresentBroker] = []
  var isPresenceNew = false
  /// Images that not all shards have applied yet, or whose logs they have not opened: how many are missing, and whom to answer
  /// then.
  var spreading: [UInt64: (missing: Int, finishes: [() -> Void])] = [:]
  var latestImage: UInt64 = 0
  /// Whom to answer when the image has come as far as another broker's answer says.
  var offsetWaits: [(offset: Offset, deadline: Instant, finish: () -> Void)] = []
  /// Images in which topics are gone that some shard still has open.
  var deletionsSpreading: Set<UInt64> = []
  /// Checkpoint files that have yet to forget deleted topics, and cleanings of their logs that have yet to end.
  var forgettingCount = 0
  /// Those that could not be written.
  var unforgotten: Set<OffsetCheckpoint.Name> = []
  /// Events are being taken in: those that come meanwhile follow them.
  var isPolling = false
  /// What is to happen when this broker is part of the cluster, or cannot be.
  var start: Start?
  var hasBalanceTimer = false
  /// Whether the coordination service is reached at present, and whether it has been once.
  var isConnected = false
  var wasConnected = false
  /// When the coordination service is to be asked again.
  var tickAt = Instant.distantFuture
  /// What is to happen when the coordination service has let this broker go.
  var whenClosed: (() -> Void)?

  struct Append {
    let token: RequestToken
    let finishes: [(result: Result<ControllerReply, KafkaError>, finish: Finish)]
    let isOfPresence: Bool
  }

  struct Start {
    var presence: BrokerPresence
    let ready: (Result<Void, KafkaError>) -> Void
    var isRegistering = false
  }

  var mayDecide: Bool { deletionsSpreading.isEmpty && forgettingCount == 0 }

  /// The committed image, with the controller that the coordination service named.
  var image: ClusterImage {
    var image = controller.image
    image.controllerID = controllerID
    return image
  }

  package init(
    coordination: any CoordinationService, controller: Controller, clusterID: String,
    identify: @escaping (_ clusterID: String, ClusterImage) -> Result<UUID, KafkaError>
  ) {
    self.coordination = coordination
    self.controller = controller
    self.clusterID = clusterID
    self.identify = identify
  }
}

extension Shard {
  /// Takes the controller in and brings this broker's image up: loads the log, makes the broker known, waits until the
  /// cluster has it. `ready` is called when every shard has that image.
  package func host(
    _ host: ControllerHost, presence: BrokerPresence, ready: @escaping (Result<Void, KafkaError>) -> Void
  ) {
    precondition(index == Self.controllerShard, "shard \(index) does not host the controller")
    controllerHost = host
    host.start = .init(presence: presence, ready: ready)
    watchStart()
    pollCoordination()
  }

  /// Gives the controller a command, wherever it lives; `finish` is called on this shard, when this shard's image has it.
  ///
  /// - Parameter isPassedOn: another broker has sent it here, for the controller: it goes no further.
  func command(
    _ command: ControllerCommand, isPassedOn: Bool = false,
    finish: @escaping (Result<ControllerReply, KafkaError>) -> Void
  ) {
    if index == Self.controllerShard { return run(command, isPassedOn: isPassedOn, finish: finish) }
    let token = makeToken()
    controllerWaits[token] = finish
    environment.links.send(
      .controller(from: index, token, command, isPassedOn: isPassedOn), to: Self.controllerShard)
  }

  /// Decides a command on the controller's shard, or passes it on to the broker that is the controller. While there is none
  /// the command waits, as long as whoever asked would: an election takes a session's timeout at most.
  func run(_ command: ControllerCommand, isPassedOn: Bool = false, finish: @escaping ControllerHost.Finish) {
    guard !isPassedOn, let waitMs = command.controllerWaitMs else {
      return runOnce(command, isPassedOn: isPassedOn, finish: finish)
    }
    run(command, until: now.advanced(byMilliseconds: waitMs), finish: finish)
  }

  private func run(_ command: ControllerCommand, until deadline: Instant, finish: @escaping ControllerHost.Finish) {
    runOnce(command, isPassedOn: false) { [unowned self] result in
      guard case .failure(let error) = result, error.code == .notController, now < deadline, !isStopping,
        let host = controllerHost, host.isLoaded
      else { return finish(result) }
      host.heldCommands.append((command, deadline, finish))
      guard host.heldCommands.count == 1 else { return }
      timers.schedule(.heldCommands, at: now.advanced(byMilliseconds: Self.controllerLookIntervalMs))
    }
  }

  private static let controllerLookIntervalMs: Int64 = 50

  func heldCommandsFired() {
    guard let host = controllerHost else { return }
    let held = host.heldCommands
    host.heldCommands = []
    for (command, deadline, finish) in held { run(command, until: deadline, finish: finish) }
  }

  private func runOnce(_ command: ControllerCommand, isPassedOn: Bool, finish: @escaping ControllerHost.Finish) {
    guard let host = controllerHost, host.isLoaded else {
      return finish(.failure(KafkaError(.notController, "the cluster's metadata is still being loaded")))
    }
    guard isWorking(0) else { return finish(.failure(Self.metadataFolderFailed)) }
    guard host.isElected else {
      guard !isPassedOn else {
        return finish(.failure(KafkaError(.notController, "this broker is not the controller")))
      }
      return passOn(command, host, finish: finish)
    }
    host.queue.append((command, finish))
    decideNext(host)
  }

  /// Decides what has gathered, as one unit of the log.
  func decideNext(_ host: ControllerHost) {
    guard host.isElected, host.appending == nil, host.mayDecide || !isWorking(0) else { return }
    guard isWorking(0) else { return failQueue(host, Self.metadataFolderFailed) }
    guard host.isPresenceNew || !host.queue.isEmpty else { return }
    var commands = host.queue
    host.queue = []
    let isOfPresence = host.isPresenceNew
    if isOfPresence { commands.insert((.brokersPresent(host.present), { _ in }), at: 0) }
    if host.controller.image.clusterID.isEmpty {
      commands.insert((.createCluster(id: host.clusterID), { _ in }), at: 0)
    }
    host.isPresenceNew = false
    let refused = host.unforgotten.isEmpty ? nil : Self.noRoomToForget
    var finishes: [(result: Result<ControllerReply, KafkaError>, finish: ControllerHost.Finish)] = []
    let decided = host.controller.decideBatch(
      commands.map(\.command).filter { refused == nil || !$0.makesPartitions }, at: wallClock)
    var results = decided.results.makeIterator()
    for (command, finish) in commands {
      if let refused, command.makesPartitions {
        finishes.append((.failure(refused), finish))
      } else if let result = results.next() {
        finishes.append((result, finish))
      }
    }
    guard !decided.records.isEmpty else {
      for (result, finish) in finishes { finish(result) }
      return decideNext(host)
    }
    let token = makeToken()
    host.appending = .init(token: token, finishes: finishes, isOfPresence: isOfPresence)
    host.coordination.append(decided.records, token: token)
    pollCoordination()
  }

  private func failQueue(_ host: ControllerHost, _ error: KafkaError) {
    let queue = host.queue
    host.queue = []
    for (_, finish) in queue { finish(.failure(error)) }
  }

  /// Takes in what the coordination service has to say. Its shell calls this when it has woken the shard.
  ///
  /// What an event leads to may bring new ones at once: they come after those that are there already.
  package func pollCoordination() {
    guard let host = controllerHost, !host.isPolling else { return }
    host.isPolling = true
    while true {
      let events = host.coordination.poll()
      guard !events.isEmpty else { break }
      for event in events { take(event, host) }
    }
    host.isPolling = false
    scheduleCoordination(host)
  }

  private func take(_ event: CoordinationEvent, _ host: ControllerHost) {
    switch event {
    case .committed(let committed): replay(committed, host)
    case .appended(let token, _): appended(token, host)
    case .appendFailed(let token, let error): appendFailed(token, error, host)
    case .elected(let epoch):
      if host.start == nil || epoch > 1 { environment.logger.info("this broker is the controller, epoch \(epoch)") }
      host.isElected = true
      // Who was alive in a term before is nothing to decide by: who is alive now is told next.
      host.isPresenceNew = false
      scheduleBalance(host)
      decideNext(host)
    case .resigned: resigned(host)
    case .controllerChanged(let id, _):
      guard host.controllerID != id else { return }
      host.controllerID = id
      if host.isLoaded { spread(host.image, ClusterDelta(), host) }
    case .brokersPresent(let brokers):
      host.present = brokers
      host.isPresenceNew = true
      decideNext(host)
    case .registered(let epoch): environment.logger.debug("registered with broker epoch \(epoch)")
    case .unregistered:
      guard host.whenClosed == nil else { return }
      environment.logger.warning("the coordination service has lost sight of this broker; it registers anew")
    case .connectionChanged(let isConnected):
      host.isConnected = isConnected
      if isConnected {
        host.wasConnected = true
        environment.logger.info("connected to the coordination service")
      } else {
        environment.logger.warning(
          "no connection to the coordination service: records flow on, the cluster cannot change until it is back")
      }
    case .loaded: loaded(host)
    case .doubted(let sentence): environment.logger.warning("\(sentence) It is read again first.")
    case .refused(let reason): refused(reason, host)
    case .closed:
      host.whenClosed?()
      host.whenClosed = nil
    }
  }

  private func appended(_ token: RequestToken, _ host: ControllerHost) {
    guard let append = host.appending, append.token == token else { return }
    host.appending = nil
    whenSpread(host) { for (result, finish) in append.finishes { finish(result) } }
    decideNext(host)
  }

  /// Nothing of the batch is in the log, or nobody knows: the state is what is committed, so there is nothing to undo.
  private func appendFailed(_ token: RequestToken, _ error: KafkaError, _ host: ControllerHost) {
    guard let append = host.appending, append.token == token else { return }
    environment.logger.error("the metadata log took no records: \(error.message ?? error.code.name)")
    host.appending = nil
    if append.isOfPresence, host.isElected { host.isPresenceNew = true }
    for (_, finish) in append.finishes { finish(.failure(error)) }
    // Whoever lost the log resigns next; deciding again before that would only fail again.
    if !host.queue.isEmpty { decideNext(host) }
  }

  /// The controller looks now and then whether leaders have strayed from where they are preferred.
  private func scheduleBalance(_ host: ControllerHost) {
    guard startConfig.zookeeperConnect != nil, !host.hasBalanceTimer else { return }
    host.hasBalanceTimer = true
    timers.schedule(
      .balance, at: now.advanced(byMilliseconds: Int64(config.leaderImbalanceCheckIntervalSeconds) * 1000))
  }

  func balanceTimerFired() {
    guard let host = controllerHost else { return }
    host.hasBalanceTimer = false
    guard host.isElected else { return }
    scheduleBalance(host)
    guard config.autoLeaderRebalanceEnable else { return }
    run(.balanceLeaders) { [environment] result in
      if case .success(.leadersBalanced(let count)) = result, count > 0 {
        environment.logger.info("\(count) partitions went back to their preferred leaders")
      }
    }
  }

  private func resigned(_ host: ControllerHost) {
    host.isElected = false
    host.isPresenceNew = false
    failQueue(host, KafkaError(.notController, "this broker is not the controller any more"))
    guard startConfig.zookeeperConnect == nil else {
      return environment.logger.info("this broker is not the controller any more")
    }
    // A single node's log has failed: nobody else will be the controller.
    failFolder(0, IOError(operation: "the metadata log", path: config.logDirs[0], errno: 5))
  }

  private func replay(_ committed: CommittedRecords, _ host: ControllerHost) {
    let before = host.controller.image
    if committed.isSnapshot { host.controller.restart() }
    var offset = committed.firstOffset
    for record in committed.records {
      host.controller.replay(record, at: offset)
      offset = offset.advanced(by: 1)
    }
    // Until all is loaded only the controller follows: a topic that was deleted since must not come up again, not even
    // for a moment, for another may have its name and its folders now.
    guard host.isLoaded else { return }
    let after = host.controller.image
    let delta =
      committed.isSnapshot
      ? ClusterDelta.between(before, after) : ClusterDelta.collect(committed.records, before: before, after: after)
    spread(host.image, delta, host)
  }

  /// Lets every shard of this broker apply an image.
  func spread(_ image: ClusterImage, _ delta: ClusterDelta, _ host: ControllerHost) {
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
    apply(image, delta, sequence: host.latestImage)
    if !logsToOpen.isEmpty {
      let sequence = host.latestImage
      host.spreading[sequence, default: (0, [])].missing += 1
      whenOpened { [unowned self] in imageApplied(sequence) }
    }
    holdNamesWhileCleaning(image: host.latestImage)
    tellFreeNames()
    if !delta.topicsDeleted.isEmpty {
      host.forgettingCount += 1
      whenNoGoneLogIsCleaned { [unowned self] in forgotten() }
    }
    releaseOffsetWaits(host)
    checkMembership(host)
  }

  func whenSpread(_ host: ControllerHost, _ finish: @escaping () -> Void) {
    guard host.spreading[host.latestImage] != nil else { return finish() }
    host.spreading[host.latestImage]?.finishes.append(finish)
  }

  /// Calls `finish` when every shard has an image that reaches to `offset`. A broker that alone has lost the ensemble does not
  /// see it come: whoever asked is told after some time what the controller said, though this broker does not show it yet.
  func whenReached(_ offset: Offset, _ host: ControllerHost, _ finish: @escaping () -> Void) {
    if host.controller.image.offset >= offset { return whenSpread(host, finish) }
    let deadline = now.advanced(byMilliseconds: Self.offsetWaitMsMax)
    host.offsetWaits.append((offset, deadline, finish))
    timers.schedule(.offsetWaits, at: deadline)
  }

  private static let offsetWaitMsMax: Int64 = 10_000

  func offsetWaitsFired() {
    guard let host = controllerHost else { return }
    let overdue = host.offsetWaits.filter { $0.deadline <= now }
    host.offsetWaits.removeAll { $0.deadline <= now }
    for wait in overdue { wait.finish() }
  }

  private func releaseOffsetWaits(_ host: ControllerHost) {
    guard !host.offsetWaits.isEmpty else { return }
    let reached = host.controller.image.offset
    let waits = host.offsetWaits
    host.offsetWaits = waits.filter { $0.offset > reached }
    for wait in waits where wait.offset <= reached { whenSpread(host, wait.finish) }
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
    tellFreeNames()
    for finish in spreading.finishes { finish() }
    if host.deletionsSpreading.remove(sequence) != nil { runDelayedCommands(host) }
  }

  /// Commands that waited for a deletion go on, or fail where the folder of the metadata has failed meanwhile.
  func runDelayedCommands(_ host: ControllerHost) { decideNext(host) }
}
