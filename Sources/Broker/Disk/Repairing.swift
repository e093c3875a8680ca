internal import Cluster
internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Logs with damage that another replica may make whole, one place at a time a shard.
///
/// A place: fetch what belongs there, as a consumer would, check it, write it in place, serve it again. A large place is
/// filled part by part. What no replica has, or has in other batches, stays reported and is tried again later.
struct Repairing {
  /// In the order of finding; each partition once.
  var waiting: [Wait] = []
  /// The place that is being worked at.
  var current: Repair?
  var hasTimer = false

  struct Wait {
    let hosted: HostedPartition
    var nextAt: Instant
    var failureCount = 0
  }
}

/// One damaged place that is being filled.
///
/// Can become: written in parts, done; or given up (the other broker does not answer, or has something else there).
final class Repair {
  let hosted: HostedPartition
  let source: BrokerID
  var draft: RepairDraft
  /// Where the place began before its first part was written.
  let firstOffset: Offset
  init(_ hosted: HostedPartition, source: BrokerID, place: DamagedPlace) {
    self.hosted = hosted
    self.source = source
    draft = RepairDraft(place)
    firstOffset = place.offsets.lowerBound
  }
}

extension Shard {
  private static let repairPauseMs: Int64 = 1000
  private static let repairPauseMsMax: Int64 = 300_000
  private static let repairFetchBytes: Int32 = 1 << 20
  private static let repairTimeoutMs: Int64 = 30_000

  /// Damage may have been found in a log: where there is any, other replicas are asked.
  func noteDamaged(_ hosted: HostedPartition) {
    guard !hosted.isGone, hosted.partition.log.damagedPlace != nil,
      !repairing.waiting.contains(where: { $0.hosted === hosted })
    else { return }
    repairing.waiting.append(Repairing.Wait(hosted: hosted, nextAt: now))
    scheduleRepair(at: now)
  }

  private func scheduleRepair(at time: Instant) {
    guard !repairing.hasTimer else { return }
    repairing.hasTimer = true
    // Others may be found meanwhile, so nobody waits for one that is due in minutes.
    timers.schedule(.repair, at: min(time, now.advanced(byMilliseconds: Self.repairPauseMs)))
  }

  func repairTimerFired() {
    repairing.hasTimer = false
    repairNext()
  }

  private func repairNext() {
    guard !isStopping, repairing.current == nil else { return }
    repairing.waiting.removeAll { $0.hosted.isGone || $0.hosted.partition.log.damagedPlace == nil }
    let due = repairing.waiting.filter { $0.nextAt <= now }.min { $0.nextAt < $1.nextAt }
    if let due, let place = due.hosted.partition.log.damagedPlace {
      guard isWorking(due.hosted.folder), let source = repairSource(of: due) else { return repairLater(due.hosted) }
      let repair = Repair(due.hosted, source: source, place: place)
      repairing.current = repair
      return fetchForRepair(repair)
    }
    if let next = repairing.waiting.map(\.nextAt).min() { scheduleRepair(at: next) }
  }

  /// Who has what belongs there: the leader, or where this broker leads the others in sync, one after the other.
  private func repairSource(of wait: Repairing.Wait) -> BrokerID? {
    let partition = wait.hosted.partition
    switch partition.role {
    case .idle: return nil
    case .follower(let leader): return leader
    case .leader:
      let others = partition.isr.filter { $0 != brokerID }
      return others.isEmpty ? nil : others[wait.failureCount % others.count]
    }
  }

  // MARK: fetching

  private func fetchForRepair(_ repair: Repair) {
    let partition = repair.hosted.partition
    let fetch = FetchRequest.FetchPartition(
      partition: partition.topicPartition.partition, currentLeaderEpoch: partition.leaderEpoch.value,
      fetchOffset: repair.draft.nextOffset.value, lastFetchedEpoch: -1, logStartOffset: -1,
      partitionMaxBytes: Self.repairFetchBytes)
    let request = FetchRequest(
      maxWaitMs: 0, minBytes: 0, maxBytes: Self.repairFetchBytes, sessionId: 0, sessionEpoch: -1,
      topics: [.init(topicId: partition.topicID, partitions: [fetch])])
    send(
      .fetch(request), version: ReplicaFetcher.version, to: repair.source, lane: .control,
      timeoutMs: Self.repairTimeoutMs, answerBytesMax: Self.plainAnswerBytesMax + Int(config.socketRequestMaxBytes)
    ) { [unowned self] outcome in take(outcome, repair) }
  }

  private func take(_ outcome: PeerOutcome, _ repair: Repair) {
    guard !repair.hosted.isGone, !isStopping else { return endRepair() }
    switch outcome {
    case .failed(let failure): giveUp(repair, "it gave no answer (\(failure))")
    case .answer(.fetch(let response), let frame): take(response, in: frame, repair)
    case .answer(let response, _): giveUp(repair, "it answered with \(response.apiKey.name)")
    }
  }

  private func take(_ response: FetchResponse, in frame: UnsafeRawBufferPointer, _ repair: Repair) {
    guard response.errorCode == .none else { return giveUp(repair, "it answered \(response.errorCode.name)") }
    let key = repair.hosted.key
    let parts = response.responses.filter { $0.topicId == key.topicID }.flatMap(\.partitions)
    guard let part = parts.first(where: { $0.partitionIndex == key.partition }) else {
      return giveUp(repair, "it does not speak of the partition")
    }
    guard part.errorCode == .none else { return giveUp(repair, "it answered \(part.errorCode.name)") }
    guard part.divergingEpoch.endOffset < 0 else { return giveUp(repair, "its history is another one") }
    let before = repair.draft.nextOffset
    switch repair.draft.take(part.records.resolved(in: frame) ?? UnsafeRawBufferPointer(start: nil, count: 0)) {
    case .isReady: write(repair)
    case .wantsMore where repair.draft.nextOffset > before: fetchForRepair(repair)
    case .wantsMore: giveUp(repair, "it has nothing to show at offset \(before.value)")
    case .doesNotFit(let reason): giveUp(repair, "what it has is laid out differently: \(reason)")
    }
  }

  // MARK: writing

  private func write(_ repair: Repair) {
    let hosted = repair.hosted
    let work: RepairWork
    do throws(LogError) {
      guard let found = try hosted.partition.log.repairWork(repair.draft) else { return endRepair() }
      work = found
    } catch { return giveUp(repair, "\(error)") }
    hosted.isBeingRepaired = true
    onDisk(hosted.folder, .repair(work)) { [unowned self] result in
      hosted.isBeingRepaired = false
      switch result {
      case .repaired(let outcome): take(outcome, of: work, repair)
      case .failed(let error):
        if error.isOfTheDevice, !hosted.isGone { failFolder(hosted.folder, error) }
        giveUp(repair, "\(error)")
      case .done, .checked, .space, .cleaned, .scrubbed: preconditionFailure("a repair came back as \(result)")
      }
    }
  }

  private func take(_ outcome: RepairOutcome, of work: RepairWork, _ repair: Repair) {
    let hosted = repair.hosted
    guard !hosted.isGone, hosted.partition.log.finishRepair(work, outcome) != nil else { return endRepair() }
    wakeWatchers(hosted)
    if repair.draft.isComplete {
      let offsets = repair.firstOffset.value...(repair.draft.place.offsets.upperBound.value - 1)
      environment.logger.info(
        "\(hosted.partition.topicPartition): offsets \(offsets.lowerBound) to \(offsets.upperBound) were damaged; "
          + "broker \(repair.source.value) had them, and they are served again")
      if let position = repairing.waiting.firstIndex(where: { $0.hosted === hosted }) {
        repairing.waiting[position].failureCount = 0
      }
      return endRepair()
    }
    guard let place = hosted.partition.log.damagedPlace, place.offsets.lowerBound == repair.draft.nextOffset else {
      return endRepair()
    }
    repair.draft = RepairDraft(place)
    fetchForRepair(repair)
  }

  // MARK: endings

  private func endRepair() {
    repairing.current = nil
    if !repairing.waiting.isEmpty { scheduleRepair(at: now) }
  }

  /// It is tried again, later each time. The first failure is told.
  private func giveUp(_ repair: Repair, _ reason: String) {
    repairing.current = nil
    let offsets = repair.draft.place.offsets
    let words =
      "\(repair.hosted.partition.topicPartition): damaged offsets \(offsets.lowerBound.value) to "
      + "\(offsets.upperBound.value - 1) cannot be had from broker \(repair.source.value): \(reason)"
    if repairing.waiting.contains(where: { $0.hosted === repair.hosted && $0.failureCount == 0 }) {
      environment.logger.warning("\(words); it is tried again")
    } else {
      environment.logger.debug(words)
    }
    repairLater(repair.hosted, failed: true)
  }

  private func repairLater(_ hosted: HostedPartition, failed: Bool = false) {
    if let position = repairing.waiting.firstIndex(where: { $0.hosted === hosted }) {
      let count = min(repairing.waiting[position].failureCount, 20)
      let pause = failed ? min(Self.repairPauseMs << Int64(count), Self.repairPauseMsMax) : Self.repairPauseMs
      if failed { repairing.waiting[position].failureCount = count + 1 }
      repairing.waiting[position].nextAt = now.advanced(byMilliseconds: pause)
    }
    scheduleRepair(at: now)
  }
}
