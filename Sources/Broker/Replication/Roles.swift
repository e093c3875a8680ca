internal import Cluster
internal import Effects
internal import Groups
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// What a new image makes of the partitions of this shard: leaders, followers, or nothing for the moment.
extension Shard {
  /// Lets a partition take the role that the image gives it.
  ///
  /// An image that does not know this run of the broker yet gives it none: what it says is of the run before (R5).
  func takeRole(_ hosted: HostedPartition, _ partition: PartitionImage) {
    var partition = partition
    if membership == nil { partition.leader = .none }
    let before = hosted.partition.isr
    let change = hosted.partition.apply(partition, brokers: image.brokers, now: now)
    report(change, of: hosted, isrBefore: before)
    switch change {
    case .none:
      // The same term may have got its first followers.
      if hosted.partition.isLeader { watchIsr(of: hosted) }
    case .leads:
      stopFetching(hosted)
      wakeWatchers(hosted)
      watchIsr(of: hosted)
      if hosted.partition.waitsForFlush { wantFlush(hosted) }
    case .follows(let leader, _):
      endLeading(hosted)
      #if DEBUG
        try? hosted.partition.truncateToHighWatermark(now: wallClock)
        keepCut(of: hosted)
      #endif
      startFetching(hosted, from: leader)
    case .pauses, .isNoReplica:
      endLeading(hosted)
      stopFetching(hosted)
    }
    noteSafe(hosted)
    settleLeadershipWaits(hosted)
    if hosted.partition.topicPartition.topic == TopicName.consumerOffsets { settleCoordinator(hosted) }
  }

  /// Says what matters to whoever looks after the cluster.
  private func report(_ change: RoleChange, of hosted: HostedPartition, isrBefore: [BrokerID]) {
    let partition = hosted.partition
    func list(_ brokers: [BrokerID]) -> String { brokers.map { "\($0.value)" }.joined(separator: ", ") }
    switch change {
    case .leads(let epoch) where partition.log.latestEpoch > epoch:
      environment.logger.error(
        "\(partition.topicPartition): led in epoch \(epoch.value), but its log has records of epoch \(partition.log.latestEpoch.value): the cluster's metadata is older than the records, as after ZooKeeper was set back to a copy. Followers take nothing before the epoch is higher: restart this broker until it is"
      )
    case .leads(let epoch):
      environment.logger.debug(
        "\(partition.topicPartition): led here in epoch \(epoch.value), in sync are \(list(partition.isr))")
    case .follows(let leader, let epoch):
      environment.logger.debug("\(partition.topicPartition): follows broker \(leader.value) in epoch \(epoch.value)")
    case .none where partition.isLeader && Set(partition.isr) != Set(isrBefore):
      environment.logger.info(
        "\(partition.topicPartition): in sync are \(list(partition.isr)), before \(list(isrBefore))")
    case .none, .pauses, .isNoReplica: break
    }
  }

  /// Whoever waits for this broker as the leader has to look elsewhere.
  private func endLeading(_ hosted: HostedPartition) {
    endWaits(hosted, .leaderChanged)
    wakeWatchers(hosted)
  }

  /// A coordinator lives where its partition is led: it is loaded before it serves, and goes with the leadership.
  func settleCoordinator(_ hosted: HostedPartition) {
    let number = hosted.partition.topicPartition.partition
    if hosted.partition.isLeader {
      if groupHosts[number] == nil, groupLoads[number] == nil { load(hosted) }
    } else {
      dropCoordinator(of: hosted)
    }
  }

  /// The coordinator of a partition goes, loaded or on the way to it: whoever waits for it learns so.
  func dropCoordinator(of hosted: HostedPartition) {
    guard hosted.partition.topicPartition.topic == TopicName.consumerOffsets else { return }
    let number = hosted.partition.topicPartition.partition
    if groupLoads[number]?.hosted === hosted { groupLoads[number] = nil }
    if groupHosts[number]?.hosted === hosted, let host = groupHosts.removeValue(forKey: number) { answerParked(host) }
  }

  /// The cluster has taken notice of this run of the broker, or of another state of others: every partition looks again.
  func retakeRoles() {
    for name in image.topicNames {
      guard let routed = topicsByName[name], let topic = image.topic(named: name) else { continue }
      for (number, place) in routed.places.enumerated() {
        guard case .here(let hosted) = place, let partition = topic.partition(Int32(number)) else { continue }
        takeRole(hosted, partition)
      }
    }
    compareAllLost()
  }
}
