internal import Primitives

/// Spreads the replicas of new partitions over the brokers, as Kafka does: leaders go round from a random broker, the other
/// replicas follow at a distance that grows each time round, so that the load of a lost broker spreads too.
///
/// When every broker names its rack, a partition's replicas lie in as many racks as there are, and no rack has two more
/// than another. Brokers that are not active get replicas only where the active ones do not suffice, and never the first.
struct ReplicaPlacement {
  /// The active ones, in placement order: of different racks in turn, where racks are known.
  private let brokers: [BrokerRegistration]
  private let inactive: [BrokerRegistration]
  private let isRackAware: Bool

  init(brokers: [BrokerRegistration]) {
    let sorted = brokers.sorted { $0.id < $1.id }
    let active = sorted.filter(\.isActive)
    inactive = sorted.filter { !$0.isActive }
    isRackAware = !active.isEmpty && active.allSatisfy { $0.rack != nil }
    self.brokers = isRackAware ? Self.rackAlternated(active) : active
  }

  /// The replicas of `partitionCount` new partitions of which the first has number `firstPartition`; leaders first.
  ///
  /// - Throws: INVALID_REPLICATION_FACTOR when there are fewer brokers than replicas, or none is active.
  func place(
    partitionCount: Int, firstPartition: Int = 0, replicationFactor: Int, random: inout DecisionRandom
  ) throws(KafkaError) -> [[BrokerID]] {
    let brokerCount = brokers.count + inactive.count
    guard replicationFactor > 0, replicationFactor <= brokerCount else {
      throw KafkaError(
        .invalidReplicationFactor,
        "Unable to replicate the partition \(replicationFactor) time(s): only \(brokerCount) broker(s) are registered.")
    }
    if brokers.isEmpty { throw KafkaError(.invalidReplicationFactor, "All brokers are fenced or about to stop.") }
    let start = random.index(below: brokers.count)
    let firstShift = random.index(below: brokers.count)
    return (0..<partitionCount).map { number in
      let position = firstPartition + number
      return replicas(
        leader: (start + position) % brokers.count, shift: firstShift + position / brokers.count,
        replicationFactor: replicationFactor)
    }
  }

  private func replicas(leader: Int, shift: Int, replicationFactor: Int) -> [BrokerID] {
    let others = brokers.count - 1
    var candidates = (0..<others).map { (leader + 1 + (shift + $0) % others) % brokers.count }
    var chosen = [leader]
    while chosen.count < min(replicationFactor, brokers.count) {
      chosen.append(candidates.remove(at: nextCandidate(candidates, chosen: chosen)))
    }
    let missing = replicationFactor - chosen.count
    let reserve = (0..<missing).map { inactive[(leader + shift + $0) % inactive.count].id }
    return chosen.map { brokers[$0].id } + reserve
  }

  /// Where in `candidates` the next replica is: the first of a rack that holds fewest of those chosen.
  private func nextCandidate(_ candidates: [Int], chosen: [Int]) -> Int {
    guard isRackAware else { return 0 }
    var best = 0
    var fewest = Int.max
    for (position, candidate) in candidates.enumerated() {
      let sameRack = chosen.count { brokers[$0].rack == brokers[candidate].rack }
      if sameRack < fewest { (best, fewest) = (position, sameRack) }
    }
    return best
  }

  /// One broker of each rack in turn, racks and brokers in order.
  private static func rackAlternated(_ sorted: [BrokerRegistration]) -> [BrokerRegistration] {
    let racks = Dictionary(grouping: sorted) { $0.rack ?? "" }
    let names = racks.keys.sorted()
    var alternated: [BrokerRegistration] = []
    var round = 0
    while alternated.count < sorted.count {
      for name in names {
        guard let members = racks[name], round < members.count else { continue }
        alternated.append(members[round])
      }
      round += 1
    }
    return alternated
  }
}
