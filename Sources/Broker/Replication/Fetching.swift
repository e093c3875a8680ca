internal import Cluster
internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// What this shard copies from one leader.
///
/// A round: fetch, append what came, bring it to the disk where it has to be, fetch again. The next fetch is the promise that
/// all before it is safe.
final class Fetching {
  var fetcher: ReplicaFetcher
  /// Until then no fetch stays long at the leader: partitions come and go, and one that comes must not wait for the answer to
  /// a fetch that does not know it.
  var isRestlessUntil = Instant(nanoseconds: .min)

  init(_ fetcher: ReplicaFetcher) { self.fetcher = fetcher }
}

extension Shard {
  private var fetcherConfig: ReplicaFetcherConfig {
    ReplicaFetcherConfig(
      partitionBytesMax: config.replicaFetchMaxBytes, responseBytesMax: config.replicaFetchResponseMaxBytes,
      bytesMin: config.replicaFetchMinBytes, waitMsMax: config.replicaFetchWaitMaxMs,
      backoffMs: Int64(config.replicaFetchBackoffMs))
  }

  /// Copies a partition from that leader from now on.
  func startFetching(_ hosted: HostedPartition, from leader: BrokerID) {
    if let before = hosted.fetchedFrom, before != leader { stopFetching(hosted) }
    let fetching = fetchers[leader] ?? makeFetching(leader)
    hosted.fetchedFrom = leader
    hosted.isBehindLeader = true
    fetching.fetcher.brokerEpoch = brokerEpoch
    fetching.fetcher.add(hosted.key, leaderEpoch: hosted.partition.leaderEpoch)
    fetching.isRestlessUntil = now.advanced(byMilliseconds: Self.restlessMs)
    // What is not on the disk yet is nothing to promise.
    if hosted.partition.waitsForFlush { wantFlush(hosted) }
  }

  private func makeFetching(_ leader: BrokerID) -> Fetching {
    let fetching = Fetching(
      ReplicaFetcher(leader: leader, brokerID: brokerID, brokerEpoch: brokerEpoch, config: fetcherConfig))
    #if DEBUG
      fetching.fetcher.mutate(environment.mutation)
    #endif
    fetchers[leader] = fetching
    return fetching
  }

  /// Copies a partition no more.
  func stopFetching(_ hosted: HostedPartition) {
    guard let leader = hosted.fetchedFrom else { return }
    hosted.fetchedFrom = nil
    guard let fetching = fetchers[leader] else { return }
    fetching.fetcher.remove(hosted.key)
    if fetching.fetcher.isEmpty, !fetching.fetcher.isAsking { fetchers[leader] = nil }
  }

  private static let restlessMs: Int64 = 1000
  private static let restlessWaitMsMax: Int32 = 10

  /// The cluster has changed: followers that wait here may have to ask for other partitions now.
  func sendFollowersHome() {
    for case .some(let connection) in connections {
      guard let fetch = connection.fetch, fetch.follower != nil, !fetch.isReading else { continue }
      finishFetch(connection, fetch)
    }
  }

  /// Sends the next fetches, at the end of a turn.
  func pumpFetchers() {
    guard !fetchers.isEmpty, !isStopping else { return }
    var next = Instant.distantFuture
    hasHeldBack = false
    for leader in fetchers.keys.sorted() {
      guard let fetching = fetchers[leader] else { continue }
      pump(fetching)
      if let at = fetching.fetcher.nextAttempt(after: now) { next = min(next, at) }
    }
    if hasHeldBack { next = min(next, throttling.follower.isFreeAt(now: now)) }
    guard next != .distantFuture, !hasFetchersTimer else { return }
    hasFetchersTimer = true
    timers.schedule(.fetchers, at: next)
  }

  func fetchersTimerFired() { hasFetchersTimer = false }

  private func pump(_ fetching: Fetching) {
    guard !fetching.fetcher.isAsking else { return }
    fetching.fetcher.config = fetcherConfig
    if now < fetching.isRestlessUntil {
      fetching.fetcher.config.waitMsMax = min(fetching.fetcher.config.waitMsMax, Self.restlessWaitMsMax)
    }
    // A broker that registered anew follows on under its new epoch, also where nothing else has changed.
    fetching.fetcher.brokerEpoch = brokerEpoch
    let request = fetching.fetcher.nextRequest(now: now) { key in self.fetchReadiness(key) }
    guard let request else { return }
    let leader = fetching.fetcher.leader
    send(
      .fetch(request), version: ReplicaFetcher.version, to: leader, lane: .replication,
      timeoutMs: Int64(config.replicaSocketTimeoutMs) + Int64(config.replicaFetchWaitMaxMs),
      answerBytesMax: Int(config.replicaFetchResponseMaxBytes) + Self.fetchAnswerSlackBytes
    ) { [unowned self] outcome in take(outcome, fetching) }
  }

  /// An answer holds at least one batch, however large, and what is around it.
  private static let fetchAnswerSlackBytes = 128 << 20

  private func fetchReadiness(_ key: TopicIDPartition) -> FetchReadiness {
    guard let hosted = hosted(key), hasRoom(hosted.folder), isWorking(hosted.folder) else { return .notNow }
    if isHeldBack(hosted) {
      hasHeldBack = true
      return .notNow
    }
    let readiness = hosted.partition.fetchReadiness
    if readiness == .afterFlush, hosted.partition.log.unnotedCut == nil { wantFlush(hosted) }
    return readiness
  }

  func hosted(_ key: TopicIDPartition) -> HostedPartition? {
    guard case .here(let hosted)? = topicsByID[key.topicID]?.place(key.partition) else { return nil }
    return hosted
  }

  // MARK: answers

  private func take(_ outcome: PeerOutcome, _ fetching: Fetching) {
    switch outcome {
    case .answer(.fetch(let response), let frame):
      if response.errorCode != .none {
        environment.logger.debug(
          "broker \(fetching.fetcher.leader.value) answered a fetch with \(response.errorCode.name)")
      }
      for found in fetching.fetcher.take(response, now: now) { take(found, frame, fetching) }
    case .answer, .failed: fetching.fetcher.failed(now: now)
    }
    if fetching.fetcher.isEmpty { fetchers[fetching.fetcher.leader] = nil }
  }

  private func take(_ outcome: FetchOutcome, _ frame: UnsafeRawBufferPointer, _ fetching: Fetching) {
    guard let hosted = hosted(outcome.partition), !hosted.isGone else { return }
    switch outcome.result {
    case .diverging, .outOfRange:
      // Batches on their way into the log would land behind the cut: it comes when they are there.
      if hosted.isBeingRepaired { return fetching.fetcher.backOff(outcome.partition, now: now) }
    case .records, .failed: break
    }
    do throws(LogError) {
      switch outcome.result {
      case .records(let records, let highWatermark, let logStart):
        try append(records, in: frame, outcome, highWatermark, logStart, to: hosted, fetching)
      case .diverging(let epoch, let endOffset):
        let cut = try hosted.partition.truncate(
          toAgreeWith: epoch, endOffset: endOffset, leaderEpoch: outcome.leaderEpoch, now: wallClock)
        if let cut { noteCut(cut, of: hosted) }
      case .outOfRange(let logStart):
        let cut = try hosted.partition.restart(at: logStart, leaderEpoch: outcome.leaderEpoch, now: wallClock)
        if let cut {
          noteCut(cut, of: hosted)
        } else {
          fetching.fetcher.backOff(outcome.partition, now: now)
          noteFetchFails("there is nothing at offset \(outcome.position.offset.value)", of: hosted, fetching)
        }
      case .failed(let code, _): noteFetchFails(code.name, of: hosted, fetching)
      }
    } catch {
      environment.logger.error("\(hosted.partition.topicPartition): what the leader has cannot be stored: \(error)")
      fetching.fetcher.backOff(outcome.partition, now: now)
      noteFailure(error, of: hosted)
    }
  }

  /// Nothing comes of fetching a partition. That is told when it has gone on for as long as a replica may lag.
  private func noteFetchFails(_ answer: String, of hosted: HostedPartition, _ fetching: Fetching) {
    let leader = fetching.fetcher.leader.value
    environment.logger.debug("\(hosted.partition.topicPartition): broker \(leader), its leader, answers: \(answer)")
    var fails = hosted.fetchFails ?? (now, now)
    // A leader does not say each time that all is well: what has been silent since then was.
    if now.milliseconds(since: fails.lastAt) > 10_000 + 2 * Int64(config.replicaFetchBackoffMs) { fails.since = now }
    fails.lastAt = now
    hosted.fetchFails = fails
    let ageMs = now.milliseconds(since: fails.since)
    guard ageMs >= config.replicaLagTimeMaxMs, let leftOut = fetchFailsLine.admit(at: now) else { return }
    environment.logger.warning(
      "\(hosted.partition.topicPartition): not replicated for \(ageMs / 1000) s, for broker \(leader), its leader, answers: \(answer)\(leftOut > 0 ? " (and \(leftOut) more such)" : "")"
    )
  }

  private func append(
    _ records: RecordsPayload, in frame: UnsafeRawBufferPointer, _ outcome: FetchOutcome, _ highWatermark: Offset,
    _ logStart: Offset, to hosted: HostedPartition, _ fetching: Fetching
  ) throws(LogError) {
    let bytes = records.resolved(in: frame) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    // An empty log begins anew for a batch that reaches across the leader's start: no flush counts before that is noted. Also
    // where the append fails behind that.
    let cutBefore = hosted.partition.log.unnotedCut
    defer { if hosted.partition.log.unnotedCut != cutBefore { keepCut(of: hosted) } }
    let followed = try hosted.partition.appendFetched(
      bytes, leaderEpoch: outcome.leaderEpoch, fetchOffset: outcome.position.offset, highWatermark: highWatermark,
      logStartOffset: logStart, now: wallClock)
    hosted.fetchFails = nil
    noteFetched(bytes.count, of: hosted, leaderHighWatermark: highWatermark)
    if followed.hasAppended {
      if hosted.partition.log.isUnflushed { noteUnflushed(hosted) }
      if hosted.partition.waitsForFlush { wantFlush(hosted) }
    }
    if followed.highWatermarkAdvanced { wakeWatchers(hosted) }
    if followed.logStartAdvanced { keepLogStart(hosted) { _ in } }
  }

  /// A log was cut to agree with its leader.
  private func noteCut(_ cut: Partition.Truncation, of hosted: HostedPartition) {
    let name = hosted.partition.topicPartition
    let words = "\(name): cut from offset \(cut.from.value) to \(cut.to.value), to agree with the leader"
    if cut.isBelowHighWatermark {
      environment.logger.warning("\(words); records that had been safe were among them")
    } else if cut.from != cut.to {
      environment.logger.info(words)
    }
    wakeWatchers(hosted)
    keepCut(of: hosted)
  }

  /// What the checkpoint says must not reach beyond the cut when something else is on the disk there: after a crash it would
  /// be taken for what was there before. Until that is written nothing flushed counts.
  func keepCut(of hosted: HostedPartition) {
    guard let cut = hosted.partition.log.unnotedCut, !hosted.isGone else { return }
    hosted.toldRecoveryPoint = hosted.partition.log.recoveryPoint
    keep(.recoveryPoint, CheckpointEntry(hosted, hosted.partition.log.recoveryPoint)) { [unowned self] isKept in
      guard !hosted.isGone else { return }
      // Where it could not be written the folder is full, or has failed: it is tried again while there is hope.
      guard isKept else {
        if isWorking(hosted.folder) { timers.schedule(.cut(hosted.place), at: now.advanced(byMilliseconds: 1000)) }
        return
      }
      hosted.partition.log.noteCutWritten(cut)
    }
  }

  func cutTimerFired(_ place: Reopening.Place) {
    if let hosted = hosted(TopicIDPartition(place.topicID, place.partition)) { keepCut(of: hosted) }
  }
}
