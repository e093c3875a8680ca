internal import Cluster
internal import Configuration
internal import Coordination
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Storage

/// How a broker becomes part of its cluster, and leaves it.
///
/// What an image says of this broker counts only where it speaks of this run (`membership`): a broker that has just been
/// started finds itself the leader of partitions in the image of its last run, and must not take that up (R5).
extension Shard {
  /// This broker as the cluster knows it; nil until the cluster has taken notice of this run.
  var membership: BrokerRegistration? {
    guard let known = image.brokers[brokerID], known.incarnation == startMode.incarnation else { return nil }
    return known
  }

  /// The broker epoch of this run; -1 until the cluster has taken notice of it.
  package var brokerEpoch: Int64 { membership?.epoch ?? -1 }

  /// The metadata has been read to its end: the shards get it, and the broker makes itself known.
  func loaded(_ host: ControllerHost) {
    guard !host.isLoaded else { return }
    host.isLoaded = true
    if let clusterID = host.coordination.clusterID { host.clusterID = clusterID }
    let image = host.image
    if image.clusterID.isEmpty, logDirsHoldPartitions {
      // A new cluster would take the names of these partitions for its own.
      let message =
        "\(config.logDirs.joined(separator: ", ")) holds partitions, but its cluster-metadata knows of no cluster: bring "
        + "that folder back from a copy, or start with an empty data folder"
      return endStart(host, .failure(KafkaError(.unknownServerError, message)))
    }
    switch host.identify(host.clusterID, image) {
    case .success(let dataID): host.start?.presence.dataID = dataID
    case .failure(let error): return endStart(host, .failure(error))
    }
    setStraysAside(image)
    spread(image, ClusterDelta.collect(image.snapshotRecords(), before: ClusterImage(), after: image), host)
    guard let start = host.start else { return }
    host.start?.isRegistering = true
    host.coordination.register(start.presence)
    decideNext(host)
  }

  /// Ends the start when the image has this broker's registration.
  func checkMembership(_ host: ControllerHost) {
    guard let start = host.start, start.isRegistering, let membership, !membership.isFenced else { return }
    host.start?.isRegistering = false
    let end = { [unowned self] in
      let note = { [unowned self] in noteRun { [unowned self] in endStart(host, .success(())) } }
      guard !startMode.wasCleanShutdown else { return whenCheckpointsAreWritten(note) }
      syncAll { [unowned self] in whenCheckpointsAreWritten(note) }
    }
    whenSpread(host, end)
  }

  private func endStart(_ host: ControllerHost, _ result: Result<Void, KafkaError>) {
    guard let start = host.start else { return }
    host.start = nil
    start.ready(result)
  }

  /// A start that does not get on says what it waits for, and ends where the coordination service is never reached.
  func watchStart() {
    guard startConfig.zookeeperConnect != nil else { return }
    timers.schedule(.start(since: now), at: now.advanced(byMilliseconds: Self.startWordsIntervalMs))
  }

  private static let startWordsIntervalMs: Int64 = 2000

  func startTimerFired(since: Instant) {
    guard let host = controllerHost, let start = host.start, let ensemble = startConfig.zookeeperConnect else { return }
    let waitedMs = now.milliseconds(since: since)
    if !host.wasConnected, waitedMs >= Int64(config.zookeeperConnectionTimeoutMs) {
      let message =
        "ZooKeeper at \(ensemble.text) cannot be reached within \(waitedMs) ms: see whether it runs, or correct zookeeper.connect"
      return endStart(host, .failure(KafkaError(.unknownServerError, message)))
    }
    let what =
      !host.wasConnected
      ? "ZooKeeper at \(ensemble.text)" : start.isRegistering ? "the controller to take this broker in" : "the metadata"
    environment.logger.info("waiting for \(what), \(waitedMs / 1000) s by now")
    timers.schedule(.start(since: since), at: now.advanced(byMilliseconds: Self.startWordsIntervalMs))
  }

  /// The coordination service does not take this broker.
  func refused(_ reason: String, _ host: ControllerHost) {
    environment.logger.error(reason)
    guard host.start == nil else { return endStart(host, .failure(KafkaError(.unknownServerError, reason))) }
    environment.halt(reason)
  }

  /// Lets the coordination service look at the clock when it wants to.
  func scheduleCoordination(_ host: ControllerHost) {
    guard let next = host.coordination.tick(now), next < host.tickAt else { return }
    host.tickAt = next
    timers.schedule(.coordination, at: next)
  }

  func coordinationTimerFired() {
    guard let host = controllerHost else { return }
    host.tickAt = .distantFuture
    pollCoordination()
  }
}

/// Leaving in order (Kafka's controlled shutdown): others lead before this broker stops.
extension Shard {
  /// Gives all leadership away, then lets the coordination service forget this broker; `then` is called when that is done, or
  /// cannot be. Nothing is lost where it cannot: it only takes a session timeout until others lead.
  package func leaveCluster(then: @escaping () -> Void) {
    guard let host = controllerHost, host.whenClosed == nil else { return then() }
    let close = { [unowned self] in
      host.whenClosed = then
      host.coordination.close()
      pollCoordination()
    }
    guard startConfig.zookeeperConnect != nil, config.controlledShutdownEnable, membership != nil else {
      return close()
    }
    isLeaving = true
    askToStop(Leaving(deadline: now.advanced(byMilliseconds: config.controlledShutdownMsMax), then: close), host)
  }

  private func askToStop(_ leaving: Leaving, _ host: ControllerHost) {
    let request = BrokerHeartbeatRequest(
      brokerId: brokerID.value, brokerEpoch: brokerEpoch, currentMetadataOffset: image.offset.value, wantFence: false,
      wantShutDown: true)
    run(.brokerHeartbeat(request)) { [unowned self] result in
      if case .success(.brokerHeartbeat(let response)) = result, response.errorCode == .none, response.shouldShutDown {
        sayWhatIsLeft("other brokers lead now what this one led")
        return leaving.then()
      }
      // Without the ensemble nobody can decide anything, and it may be away for long.
      guard now < leaving.deadline, host.isConnected else {
        sayWhatIsLeft("no controller could be asked to let others lead")
        return leaving.then()
      }
      self.leaving = leaving
      timers.schedule(.leave, at: min(leaving.deadline, now.advanced(byMilliseconds: leavePauseMs)))
    }
  }

  /// Shorter than what is configured, in the same time all in all: a follower that has caught up is not left waiting.
  private var leavePauseMs: Int64 { min(100, config.controlledShutdownRetryBackoffMs) }

  private func sayWhatIsLeft(_ otherwise: String) {
    let left = image.topicNames.reduce(0) { count, name in
      count + (image.topic(named: name)?.partitions.count { $0.leader == brokerID } ?? 0)
    }
    if left == 0 { return environment.logger.info(otherwise) }
    environment.logger.warning(
      "stopping although this broker leads \(left) partitions that nobody else can lead: they are offline until it is back"
    )
  }

  func leaveTimerFired() {
    guard let leaving, let host = controllerHost else { return }
    self.leaving = nil
    askToStop(leaving, host)
  }
}

/// A broker that is on its way out and asks again.
struct Leaving {
  /// It waits no longer for others to take over.
  let deadline: Instant
  let then: () -> Void
}
