import Primitives

/// Finds places for replicas: as few copies as possible, spread over brokers, and over racks where all brokers name theirs.
///
/// Pure: the same cluster gives the same plan.
struct ReplicaPlanner {
  private let allowed: [Int32]
  private let rackOf: [Int32: String]
  /// Replicas on each allowed broker: of one topic, and in all.
  private var ofTopic: [String: [Int32: Int]] = [:]
  private var inAll: [Int32: Int] = [:]

  /// - Parameter allowed: the brokers that may keep replicas.
  init(allowed: [ClusterView.Broker]) {
    self.allowed = allowed.map(\.id).sorted()
    let racks = allowed.compactMap { broker in broker.rack.map { (broker.id, $0) } }
    rackOf = racks.count == allowed.count ? Dictionary(racks, uniquingKeysWith: { first, _ in first }) : [:]
  }

  /// Finds places for `partitions` on `brokers`.
  ///
  /// - Parameters:
  ///   - leaving: the brokers whose replicas go; nil for all that are not among `brokers`.
  ///   - beside: partitions that stay as they are, and count where room is looked for.
  ///   - replicationFactor: nil keeps how many replicas there are.
  ///   - isBalanced: whether replicas and leaders are spread evenly, too, which costs copies.
  static func plan(
    _ partitions: [ClusterView.Partition], on brokers: [ClusterView.Broker], leaving: Set<Int32>? = nil,
    beside: [ClusterView.Partition] = [], replicationFactor: Int? = nil, isBalanced: Bool
  ) throws(UnplannableError) -> ReplicaPlan {
    var planner = ReplicaPlanner(allowed: brokers)
    for partition in beside { for broker in partition.replicas { planner.count(broker, partition.name.topic, 1) } }
    var targets = partitions.map { partition in
      partition.replicas.filter { broker in leaving.map { !$0.contains(broker) } ?? planner.allowed.contains(broker) }
    }
    for (place, partition) in partitions.enumerated() {
      for broker in targets[place] { planner.count(broker, partition.name.topic, 1) }
    }
    for (place, partition) in partitions.enumerated() {
      try planner.fit(&targets[place], partition, count: replicationFactor ?? partition.replicas.count)
    }
    if isBalanced {
      planner.balance(&targets, partitions)
      planner.balanceLeaders(&targets, partitions)
    }
    var moves: [ReplicaPlan.Move] = []
    for (partition, target) in zip(partitions, targets) where target != partition.replicas {
      moves.append(.init(partition: partition.name, from: partition.replicas, to: target))
    }
    return ReplicaPlan(moves: moves)
  }

  /// What stays is known by now, so that what comes is put where least is.
  private mutating func fit(
    _ replicas: inout [Int32], _ partition: ClusterView.Partition, count wanted: Int
  ) throws(UnplannableError) {
    while replicas.count > wanted { dropOne(&replicas, partition) }
    while replicas.count < wanted {
      guard addOne(&replicas, partition.name.topic) else {
        throw UnplannableError(
          allowed.isEmpty
            ? "there is no broker alive that could take \(partition.name)"
            : "\(partition.name) needs \(wanted) replicas, and there are too few brokers to keep them: "
              + allowed.map { "\($0)" }.joined(separator: ", "))
      }
    }
  }

  private mutating func count(_ broker: Int32, _ topic: String, _ change: Int) {
    ofTopic[topic, default: [:]][broker, default: 0] += change
    inAll[broker, default: 0] += change
  }

  private func load(_ broker: Int32, _ topic: String) -> (Int, Int) {
    (ofTopic[topic]?[broker] ?? 0, inAll[broker] ?? 0)
  }

  /// A replica that is not in sync before one that is, then one where most is; the preferred leader stays.
  private mutating func dropOne(_ replicas: inout [Int32], _ partition: ClusterView.Partition) {
    let topic = partition.name.topic
    let dropped = replicas.indices.dropFirst().max { left, right in
      rank(replicas[left], partition) < rank(replicas[right], partition)
    }
    guard let dropped else { return }
    count(replicas.remove(at: dropped), topic, -1)
  }

  private func rank(_ broker: Int32, _ partition: ClusterView.Partition) -> (Int, Int, Int, Int32) {
    let load = load(broker, partition.name.topic)
    return (partition.isr.contains(broker) ? 0 : 1, load.0, load.1, broker)
  }

  /// False where no broker is left.
  private mutating func addOne(_ replicas: inout [Int32], _ topic: String) -> Bool {
    let taken = replicas
    let candidates = allowed.filter { !taken.contains($0) }
    let chosen = candidates.min { left, right in cost(left, taken, topic) < cost(right, taken, topic) }
    guard let chosen else { return false }
    replicas.append(chosen)
    count(chosen, topic, 1)
    return true
  }

  /// A rack that has a replica already comes last, then the broker with least.
  private func cost(_ broker: Int32, _ taken: [Int32], _ topic: String) -> (Int, Int, Int, Int32) {
    let load = load(broker, topic)
    return (rackCount(of: broker, taken), load.0, load.1, broker)
  }

  private func rackCount(of broker: Int32, _ replicas: [Int32]) -> Int {
    guard let rack = rackOf[broker] else { return 0 }
    return replicas.count { rackOf[$0] == rack }
  }
}

extension ReplicaPlanner {
  /// Moves replicas of each topic from the broker with most to the one with least, until they differ by at most one. Each
  /// move makes the sum of the squares smaller, so it ends.
  private mutating func balance(_ targets: inout [[Int32]], _ partitions: [ClusterView.Partition]) {
    for (topic, places) in Self.placesByTopic(partitions) {
      while moveOne(&targets, topic, places) {}
    }
  }

  private mutating func moveOne(_ targets: inout [[Int32]], _ topic: String, _ places: [Int]) -> Bool {
    let ordered = allowed.sorted { load($0, topic) < load($1, topic) }
    for full in ordered.reversed() {
      for empty in ordered where load(full, topic).0 > load(empty, topic).0 + 1 {
        for place in places where targets[place].contains(full) && !targets[place].contains(empty) {
          let others = targets[place].filter { $0 != full }
          // Racks are worth more than numbers.
          guard rackCount(of: empty, others) <= rackCount(of: full, others) else { continue }
          targets[place] = targets[place].map { $0 == full ? empty : $0 }
          count(full, topic, -1)
          count(empty, topic, 1)
          return true
        }
      }
    }
    return false
  }

  /// The same for which replica is first: no copies, an order alone.
  private func balanceLeaders(_ targets: inout [[Int32]], _ partitions: [ClusterView.Partition]) {
    for (_, places) in Self.placesByTopic(partitions) {
      var leads: [Int32: Int] = [:]
      for place in places { if let first = targets[place].first { leads[first, default: 0] += 1 } }
      var isMoved = true
      while isMoved {
        isMoved = false
        for place in places {
          guard let first = targets[place].first,
            let least = targets[place].min(by: { (leads[$0] ?? 0, $0) < (leads[$1] ?? 0, $1) }),
            (leads[first] ?? 0) > (leads[least] ?? 0) + 1
          else { continue }
          targets[place] = [least] + targets[place].filter { $0 != least }
          leads[first, default: 0] -= 1
          leads[least, default: 0] += 1
          isMoved = true
        }
      }
    }
  }

  private static func placesByTopic(_ partitions: [ClusterView.Partition]) -> [(topic: String, places: [Int])] {
    Dictionary(grouping: partitions.indices, by: { partitions[$0].name.topic })
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
