internal import Cluster
internal import Configuration
internal import Effects
internal import Groups
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// A group coordinator and its log: one partition of `__consumer_offsets`.
///
/// Drives the state machine: decide, append, replay at once; answers wait for the write. When an append or a write fails
/// the coordinator is thrown away and read again from its log.
final class GroupHost {
  let hosted: HostedPartition
  var coordinator: GroupCoordinator
  /// Its log takes no appends: what was committed can be read, nothing can change until there is room on its disk.
  var isReadOnly = false
  /// The earliest timer that is set for it.
  var timerAt = Instant.distantFuture

  init(_ hosted: HostedPartition, _ coordinator: GroupCoordinator) {
    self.hosted = hosted
    self.coordinator = coordinator
  }
}

/// An answer that waits for its records to be written.
struct PendingGroupReply {
  let address: ReplyAddress
  let response: Response
  let onFailure: Response
}

/// What the coordinators ask of the cluster.
struct ImageTopics: TopicLookup {
  let image: ClusterImage
  func topicExists(_ name: String) -> Bool { image.topic(named: name) != nil }
  func topicID(_ name: String) -> UUID? { image.topic(named: name)?.id }
  func topicName(_ id: UUID) -> String? { image.topic(id: id)?.name }
}

extension Shard {
  var groupConfig: GroupConfig {
    GroupConfig(
      minSessionTimeoutMs: config.groupMinSessionTimeoutMs, maxSessionTimeoutMs: config.groupMaxSessionTimeoutMs,
      initialRebalanceDelayMs: config.groupInitialRebalanceDelayMs, groupMaxSize: Int(config.groupMaxSize),
      offsetMetadataMaxBytes: Int(config.offsetMetadataMaxBytes),
      offsetsRetentionMs: Int64(config.offsetsRetentionMinutes) * 60_000,
      offsetsRetentionCheckIntervalMs: config.offsetsRetentionCheckIntervalMs,
      recordBatchMaxBytes: Int(
        config.topicConfig(overrides: image.topic(named: TopicName.consumerOffsets)?.configs ?? [:]).maxMessageBytes))
  }

  /// Carries out what a coordinator decided.
  func carryOut(_ event: GroupCommand.Event, _ host: GroupHost) {
    let decision: Decision<CoordinatorRecord, [GroupReply]>
    do throws(KafkaError) {
      decision = try host.coordinator.decide(GroupCommand(event, now: now), at: wallClock)
    } catch {
      return environment.logger.error("a group coordinator refused: \(error.message ?? error.code.name)")
    }
    let replies = decision.reply.compactMap { reply -> PendingGroupReply? in
      guard let address = waitingReplies.removeValue(forKey: reply.token) else { return nil }
      return PendingGroupReply(address: address, response: reply.response, onFailure: reply.onFailure)
    }
    defer { scheduleTimer(host) }
    guard !decision.records.isEmpty else {
      // An answer may show what records that are not safe yet changed: it waits for them like theirs.
      let last = host.hosted.partition.log.logEndOffset.value - 1
      if last >= host.hosted.partition.highWatermark.value, !replies.isEmpty {
        return appendWaits.append(
          AppendWait(host.hosted, last, .highWatermark, .group(host, replies), deadline: groupDeadline(host)))
      }
      for pending in replies { reply(pending.address, pending.response) }
      return
    }
    var builder = RecordBatchBuilder(baseTimestamp: wallClock)
    for record in decision.records { builder.append(key: record.key, value: record.value, timestamp: wallClock) }
    do throws(KafkaError) {
      let appended = try host.hosted.partition.appendOwn(builder.build(), now: wallClock)
      markDirty(host.hosted)
      for (distance, record) in decision.records.enumerated() {
        host.coordinator.replay(
          record, at: appended.baseOffset.advanced(by: Int64(distance)))
      }
      appendWaits.append(
        AppendWait(
          host.hosted, appended.baseOffset.value, .highWatermark, .group(host, replies), deadline: groupDeadline(host)))
    } catch {
      environment.logger.error("group state was not appended: \(error.message ?? error.code.name)")
      if host.hosted.partition.hasAppendFailure { markDirty(host.hosted) }
      // Nothing was replayed. Reading the whole log again, at every request, would find the same.
      if host.isReadOnly {
        for pending in replies { reply(pending.address, pending.onFailure) }
      } else {
        settleGroup(host, replies, .failed(error))
      }
    }
  }

  private func groupDeadline(_ host: GroupHost) -> Instant {
    appendDeadline(host.hosted, acks: -1, timeoutMs: config.offsetsCommitTimeoutMs)
  }

  /// The records of some answers are safe, or not.
  func settleGroup(_ host: GroupHost, _ replies: [PendingGroupReply], _ end: AppendWait.End) {
    var isSafe = false
    if case .safe = end { isSafe = true }
    for pending in replies { reply(pending.address, isSafe ? pending.response : pending.onFailure) }
    let partition = host.hosted.partition.topicPartition.partition
    // Records that are late are in the log all the same, and the coordinator goes on from them.
    switch end {
    case .safe, .timedOut: return
    case .failed, .leaderChanged: break
    }
    guard groupHosts[partition] === host else { return }
    answerParked(host)
    groupHosts[partition] = nil
    load(host.hosted)
  }

  /// A coordinator goes: whoever waits for it learns so.
  func answerParked(_ host: GroupHost) {
    for parked in host.coordinator.unloaded() {
      if let address = waitingReplies.removeValue(forKey: parked.token) { reply(address, parked.response) }
    }
  }

  func scheduleTimer(_ host: GroupHost) {
    guard let deadline = host.coordinator.nextDeadline, deadline < host.timerAt else { return }
    host.timerAt = deadline
    timers.schedule(.group(host.hosted.partition.topicPartition.partition), at: deadline)
  }

  func groupTimerFired(_ partition: Int32) {
    guard let host = groupHosts[partition] else { return }
    host.timerAt = .distantFuture
    carryOut(.timersFired, host)
  }

  /// Topics are gone: so are the offsets that groups committed for them.
  func forgetOffsets(of topics: [String]) {
    for load in groupLoads.values { load.topicsDeleted += topics }
    for partition in groupHosts.keys.sorted() {
      guard let host = groupHosts[partition] else { continue }
      carryOut(.topicsDeleted(topics), host)
    }
  }
}
