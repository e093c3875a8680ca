internal import Cluster
internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication

/// Who is in sync: the partitions led here propose, in one request a turn, and the controller decides (KIP-497).
extension Shard {
  /// Looks after the followers of a partition that is led here, by the clock: those that lag leave the isr.
  func watchIsr(of hosted: HostedPartition) {
    guard hosted.partition.hasOtherReplicas, !hasIsrTimer else { return }
    hasIsrTimer = true
    timers.schedule(.isr, at: now.advanced(byMilliseconds: isrCheckIntervalMs))
  }

  private var isrCheckIntervalMs: Int64 { max(50, min(1000, config.replicaLagTimeMaxMs / 2)) }

  func isrTimerFired() {
    hasIsrTimer = false
    for hosted in hostedPartitions where hosted.partition.isLeader && hosted.partition.hasOtherReplicas {
      wantIsrChange(hosted)
      watchIsr(of: hosted)
    }
  }

  /// Something has happened that may change who is in sync.
  func wantIsrChange(_ hosted: HostedPartition) {
    guard !hosted.isInIsrList else { return }
    hosted.isInIsrList = true
    isrList.append(hosted)
  }

  /// Sends what has changed, at the end of a turn.
  func proposeIsrChanges() {
    guard !isrList.isEmpty else { return }
    let list = isrList
    isrList.removeAll(keepingCapacity: true)
    var proposals: [(hosted: HostedPartition, proposal: IsrProposal)] = []
    for hosted in list {
      hosted.isInIsrList = false
      guard !hosted.isGone else { continue }
      let proposal = hosted.partition.isrChange(now: now)
      // A follower that was about to join, and held the high watermark, may have fallen behind.
      noteSafe(hosted)
      guard let proposal else { continue }
      // While it is under way the high watermark counts the members of both sets.
      environment.logger.debug(
        "\(hosted.partition.topicPartition): asks for \(proposal.isr.map { $0.id.value }) in sync, at \(proposal.partitionEpoch)"
      )
      proposals.append((hosted, proposal))
    }
    guard !proposals.isEmpty else { return }
    send(proposals)
  }

  private func send(_ proposals: [(hosted: HostedPartition, proposal: IsrProposal)]) {
    var topics: [AlterPartitionRequest.TopicData] = []
    for (hosted, proposal) in proposals {
      let part = proposal.requested(partition: hosted.partition.topicPartition.partition)
      if topics.last?.topicId == hosted.partition.topicID {
        topics[topics.count - 1].partitions.append(part)
      } else {
        topics.append(.init(topicId: hosted.partition.topicID, partitions: [part]))
      }
    }
    let request = AlterPartitionRequest(brokerId: brokerID.value, brokerEpoch: brokerEpoch, topics: topics)
    command(.alterPartition(request)) { [unowned self] result in
      for (hosted, proposal) in proposals { take(result, hosted, proposal) }
    }
  }

  private func take(
    _ result: Result<ControllerReply, KafkaError>, _ hosted: HostedPartition, _ proposal: IsrProposal
  ) {
    guard !hosted.isGone else { return }
    let answer = Self.answer(to: hosted.partition, in: result)
    if case .refused(let code) = answer {
      environment.logger.debug("\(hosted.partition.topicPartition): another isr was refused with \(code.name)")
    }
    switch hosted.partition.isrAnswered(proposal, answer, now: now) {
    case .retry(let at), .dropped(let at): timers.schedule(.isrRetry(hosted.place), at: at)
    case .committed, .waitsForImage, .stale: break
    }
    noteSafe(hosted)
  }

  /// A proposal is to be made again, if it is still of use.
  func isrRetryTimerFired(_ place: Reopening.Place) {
    guard case .here(let hosted)? = topicsByID[place.topicID]?.place(place.partition) else { return }
    wantIsrChange(hosted)
  }

  /// What a controller's answer says of one partition.
  private static func answer(
    to partition: Partition, in result: Result<ControllerReply, KafkaError>
  ) -> IsrAnswer {
    switch result {
    case .failure(let error): return error.code == .requestTimedOut ? .unanswered : .refused(error.code)
    case .success(.alterPartition(let response)):
      guard response.errorCode == .none else { return .refused(response.errorCode) }
      let topic = response.topics.first { $0.topicId == partition.topicID }
      let number = partition.topicPartition.partition
      guard let part = topic?.partitions.first(where: { $0.partitionIndex == number }) else { return .unanswered }
      guard part.errorCode == .none else { return .refused(part.errorCode) }
      return .committed(
        leaderEpoch: LeaderEpoch(part.leaderEpoch), isr: part.isr.map { BrokerID($0) },
        partitionEpoch: part.partitionEpoch)
    case .success: return .unanswered
    }
  }
}
