internal import Cluster
internal import Configuration
internal import Effects
internal import Groups
internal import Observability
internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// A coordinator that is being read from its log: so much a turn, so that who else is served by this shard does not wait for
/// the whole of it. Until it knows everything it serves nobody (COORDINATOR_LOAD_IN_PROGRESS).
///
/// Can become: a `GroupHost`; nothing, where the log cannot be read or is led elsewhere meanwhile.
final class GroupLoad {
  let hosted: HostedPartition
  let coordinator: GroupCoordinator
  /// Everything below has been replayed.
  var next: Offset
  /// Topics that went meanwhile, whose offsets are to go too.
  var topicsDeleted: [String] = []

  init(_ hosted: HostedPartition, _ coordinator: GroupCoordinator) {
    self.hosted = hosted
    self.coordinator = coordinator
    next = hosted.partition.log.logStartOffset
  }
}

extension Shard {
  /// So much of coordinators' logs is read in a turn; a batch more, where it ends within one.
  static let groupLoadBytesMax = 256 << 10

  /// Begins to read a coordinator. A small one is there when this returns.
  func load(_ hosted: HostedPartition) {
    let number = hosted.partition.topicPartition.partition
    let coordinator = GroupCoordinator(
      partition: number, config: groupConfig, random: { [random = environment.random] in random.next() })
    let load = GroupLoad(hosted, coordinator)
    groupLoads[number] = load
    if groupLoadBytesLeft > 0 { proceed(load) }
  }

  /// Reads on, as far as this turn's share goes.
  func loadSome() {
    guard !groupLoads.isEmpty else { return }
    for number in groupLoads.keys.sorted() {
      guard groupLoadBytesLeft > 0 else { return }
      if let load = groupLoads[number] { proceed(load) }
    }
  }

  private func proceed(_ load: GroupLoad) {
    let partition = load.hosted.partition
    let number = partition.topicPartition.partition
    do {
      let next = try partition.log.scan(
        from: load.next, upTo: loadEnd(partition.log), byteCountMax: groupLoadBytesLeft
      ) { header, batch in
        groupLoadBytesLeft -= batch.count
        replay(header, batch, into: load.coordinator)
      }
      if let next { load.next = next } else { finish(load) }
    } catch {
      // A coordinator that knew only some of what was committed would send consumers back to the start.
      groupLoads[number] = nil
      environment.logger.error("\(partition.topicPartition): its groups are not served, reading them failed: \(error)")
    }
  }

  private func finish(_ load: GroupLoad) {
    let partition = load.hosted.partition
    let number = partition.topicPartition.partition
    groupLoads[number] = nil
    if load.coordinator.unreadableRecordCount > 0 {
      environment.logger.warning(
        "\(partition.topicPartition): \(load.coordinator.unreadableRecordCount) records were unreadable and passed over"
      )
    }
    load.coordinator.loaded(now: now)
    let host = GroupHost(load.hosted, load.coordinator)
    host.isReadOnly = !partition.log.takesAppends
    groupHosts[number] = host
    scheduleTimer(host)
    if !load.topicsDeleted.isEmpty { carryOut(.topicsDeleted(load.topicsDeleted), host) }
  }

  /// Everything: what is not safe yet may become so.
  private func loadEnd(_ log: Log) -> Offset {
    #if DEBUG
      if environment.mutation == .coordinatorServesBeforeLoaded { return log.logStartOffset }
      if environment.mutation == .loaderStopsAtFirstSegment { return log.firstSegmentEndOffset }
    #endif
    return log.writtenEndOffset
  }

  private func replay(
    _ header: RecordBatchHeader, _ batch: UnsafeRawBufferPointer, into coordinator: GroupCoordinator
  ) {
    do throws(RecordError) {
      try forEachRecord(in: batch, decompressor: decompressor, byteCountMax: Int(startConfig.socketRequestMaxBytes)) {
        record, memory throws(RecordError) in
        guard !header.attributes.isControl, let key = record.key else { return true }
        coordinator.replay(
          key: UnsafeRawBufferPointer(rebasing: memory[key]),
          value: record.value.map { UnsafeRawBufferPointer(rebasing: memory[$0]) },
          at: header.offset(of: record))
        return true
      }
    } catch {
      environment.logger.error("a batch of group state at offset \(header.baseOffset.value) is unreadable: \(error)")
    }
  }
}
