internal import OttlaClient

/// How many partitions are free, and how many have their fill.
struct Census {
  var freeCount = 0
  var fullCount = 0

  /// Where all that could give a record are full, none is asked for. Where none can, asking does no harm, and finds errors.
  var wantsRecord: Bool { freeCount > 0 || fullCount == 0 }
}

/// Partitions come and go, and rest.
extension ProcessingPlan {
  /// Partitions are this member's from now on.
  mutating func assign(_ assigned: [TopicPartition]) {
    for partition in assigned {
      if partitions[partition] != nil { leave(partition) }
      partitions[partition] = PartitionProgress()
      census.freeCount += 1
    }
    pauseTheFull()
  }

  /// Partitions are being taken away: nothing is begun in them, and what runs may still be done.
  mutating func beginLeaving(_ leaving: [TopicPartition]) {
    for partition in leaving where partitions[partition]?.isLeaving == false {
      drop(partition)
      assess(partition)
      count(partitions[partition]?.condition, by: -1)
      partitions[partition]?.isLeaving = true
    }
    pauseTheFull()
  }

  /// Whether anything runs in `leaving` that still counts.
  func isBusy(_ leaving: [TopicPartition]) -> Bool {
    let leaving = Set(leaving)
    return items.values.contains { $0.isRunning && !$0.isStale && leaving.contains($0.record.topicPartition) }
  }

  /// Partitions have gone; what runs in them counts for nothing any more.
  mutating func endLeaving(_ left: [TopicPartition]) {
    for partition in left { leave(partition) }
    pauseTheFull()
  }

  private mutating func leave(_ partition: TopicPartition) {
    guard partitions[partition] != nil else { return }
    beginLeaving([partition])
    for (ticket, item) in items where item.record.topicPartition == partition { items[ticket]?.isStale = true }
    // Who gets it next, and be it this member, reads from the first record on.
    if partitions[partition]?.isPaused == true { outcomes.append(.resume(partition)) }
    partitions[partition] = nil
  }

  /// What the plan knows of a partition is from before.
  mutating func startAnew(_ partition: TopicPartition) {
    leave(partition)
    assign([partition])
  }

  /// Drops what is not running.
  private mutating func drop(_ partition: TopicPartition) {
    let tickets = items.filter { !$0.value.isRunning && $0.value.record.topicPartition == partition }.keys.sorted()
    for ticket in tickets {
      guard let number = items.removeValue(forKey: ticket)?.lane else { continue }
      _ = lanes[number]?.removeQueued()
      if lanes[number]?.current == ticket {
        retries.forget(number)
        recoveries.forget(number)
        lanes[number]?.current = nil
      }
      list(number)
    }
    partitions[partition]?.waitingCount = 0
  }

  mutating func changeWaiting(_ partition: TopicPartition, by difference: Int) {
    partitions[partition]?.waitingCount += difference
    assess(partition)
  }

  /// Finds out whether a partition's records are to rest, after something has changed in it.
  mutating func assess(_ partition: TopicPartition) {
    guard var progress = partitions[partition], !progress.isLeaving else { return }
    let before = progress.condition
    progress.assess(recordsMax: limits.windowRecordsMax, bytesMax: limits.windowBytesMax)
    count(before, by: -1)
    count(progress.condition, by: 1)
    let mustRest =
      switch progress.condition {
      case .waiting: true
      // Where all are full nobody asks for records, and nothing need rest.
      case .full: progress.isPaused || census.wantsRecord
      case .free: false
      }
    if mustRest != progress.isPaused { outcomes.append(mustRest ? .pause(partition) : .resume(partition)) }
    progress.isPaused = mustRest
    partitions[partition] = progress
    if before != progress.condition { pauseTheFull() }
  }

  private mutating func count(_ condition: PartitionProgress<Record>.Condition?, by difference: Int) {
    switch condition {
    case .free: census.freeCount += difference
    case .full: census.fullCount += difference
    case .waiting, nil: break
    }
  }

  /// Asking goes on for the sake of some: those that are full must rest.
  private mutating func pauseTheFull() {
    guard census.wantsRecord, census.fullCount > 0 else { return }
    let full = partitions.filter { $0.value.condition == .full && !$0.value.isPaused && !$0.value.isLeaving }
    for partition in full.keys.sorted() {
      partitions[partition]?.isPaused = true
      outcomes.append(.pause(partition))
    }
  }
}
