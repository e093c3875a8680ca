internal import OttlaClient

/// The lanes, and the line of those that are ready.
extension ProcessingPlan {
  mutating func lane(for record: Record) -> UInt64 {
    let name = laneName(record)
    if let known = laneNumbers[name] { return known }
    lastNumber &+= 1
    laneNumbers[name] = lastNumber
    lanes[lastNumber] = Lane(name)
    return lastNumber
  }

  private func laneName(_ record: Record) -> LaneName {
    switch order {
    case .partition: .partition(record.topicPartition)
    case .key:
      record.key.map { .key(record.topicPartition, $0) } ?? .record(record.topicPartition, record.offset)
    case .none: .record(record.topicPartition, record.offset)
    }
  }

  /// Puts a lane into the line where it is ready, and forgets it where it is over.
  mutating func list(_ number: UInt64) {
    guard let lane = lanes[number] else { return }
    if lane.isOver {
      lanes[number] = nil
      laneNumbers[lane.name] = nil
    } else if lane.isReady, !lane.isListed {
      lanes[number]?.isListed = true
      ready.append(number)
    }
  }

  mutating func nextReady() -> UInt64? {
    while readyFirst < ready.count {
      let number = ready[readyFirst]
      readyFirst += 1
      if readyFirst * 2 >= ready.count {
        ready.removeFirst(readyFirst)
        readyFirst = 0
      }
      lanes[number]?.isListed = false
      if lanes[number]?.isReady == true { return number }
    }
    return nil
  }
}
