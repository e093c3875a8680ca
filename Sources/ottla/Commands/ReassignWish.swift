import Primitives

/// What `topic reassign` is asked for.
enum ReassignWish: Equatable {
  case status(topics: Set<String>?, waits: Bool)
  case cancel(topics: Set<String>?)
  case move(ReassignRequest, executes: Bool, waits: Bool)

  init(_ arguments: Arguments) throws(UsageError) {
    let named = arguments.texts("topic")
    let topics = named.isEmpty ? nil : Set(named)
    let shapes = ["to-brokers", "rf", "place", "execute"].filter { arguments.has($0) }
    if let extra = shapes.first, let first = ["status", "cancel"].first(where: { arguments.has($0) }) {
      throw UsageError("--\(extra) does not go with --\(first)")
    }
    switch (arguments.has("status"), arguments.has("cancel")) {
    case (true, true): throw UsageError("--status does not go with --cancel")
    case (true, false): self = .status(topics: topics, waits: arguments.has("wait"))
    case (false, true): self = .cancel(topics: topics)
    case (false, false):
      if arguments.has("wait"), !arguments.has("execute") { throw UsageError("--wait goes with --execute or --status") }
      self = .move(
        try ReassignRequest(arguments, topics), executes: arguments.has("execute"), waits: arguments.has("wait"))
    }
  }
}

/// Which partitions shall go where.
struct ReassignRequest: Equatable {
  /// nil for all.
  let topics: Set<String>?
  /// nil for all brokers that are alive.
  let brokers: [Int32]?
  let replicationFactor: Int?
  /// Partitions of the one topic whose places are given, with their brokers; none for a plan of the program's own.
  let places: [Int32: [Int32]]

  init(_ arguments: Arguments, _ topics: Set<String>?) throws(UsageError) {
    guard topics != nil || arguments.has("all-topics") else { throw UsageError("--topic is missing (or --all-topics)") }
    guard topics == nil || !arguments.has("all-topics") else {
      throw UsageError("--topic does not go with --all-topics")
    }
    self.topics = topics
    brokers = try arguments.text("to-brokers").map { (text) throws(UsageError) in try Self.ids(text, "--to-brokers") }
    replicationFactor = try arguments.integer("rf", in: 1...Int64(Int16.max)).map { Int($0) }
    places = try Self.places(arguments)
    guard !places.isEmpty else { return }
    guard topics?.count == 1 else { throw UsageError("--place needs one --topic") }
    guard brokers == nil, replicationFactor == nil else {
      throw UsageError("--place says it all: leave out --to-brokers and --rf")
    }
  }

  private static func places(_ arguments: Arguments) throws(UsageError) -> [Int32: [Int32]] {
    var places: [Int32: [Int32]] = [:]
    for (name, value) in try arguments.pairs("place") {
      guard let partition = Int32(name), partition >= 0 else {
        throw UsageError("--place takes PARTITION=ID,ID,..., not '\(name)=\(value)'")
      }
      guard places[partition] == nil else { throw UsageError("--place names partition \(partition) twice") }
      places[partition] = try ids(value, "--place")
    }
    return places
  }

  /// Broker ids with commas between.
  static func ids(_ text: String, _ option: String) throws(UsageError) -> [Int32] {
    let ids = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Int32($0).flatMap { $0 < 0 ? nil : $0 }
    }
    let known = ids.compactMap { $0 }
    guard known.count == ids.count else { throw UsageError("\(option) takes broker ids as in 1,2,3, not '\(text)'") }
    guard Set(known).count == known.count else { throw UsageError("\(option) names a broker twice: '\(text)'") }
    return known
  }

  /// The moves that lead from `view` to what is wished.
  func plan(_ view: ClusterView) throws -> ReplicaPlan {
    let partitions = view.partitions.filter { topics?.contains($0.name.topic) ?? true }
    let found = Set(partitions.map(\.name.topic))
    if let missing = topics?.subtracting(found).min() {
      throw CommandFailure("topic \(missing) does not exist; `ottla topic list` shows those that do")
    }
    let wanted = brokers ?? places.values.flatMap { $0 }
    if let strange = wanted.sorted().first(where: { view.broker($0) == nil }) {
      throw CommandFailure("there is no broker \(strange); `ottla cluster status` shows those that are there")
    }
    guard places.isEmpty else { return try placedPlan(partitions) }
    let allowed = brokers.map { ids in view.brokers.filter { ids.contains($0.id) } } ?? view.activeBrokers
    return try ReplicaPlanner.plan(
      partitions, on: allowed, beside: view.partitions.filter { !found.contains($0.name.topic) },
      replicationFactor: replicationFactor, isBalanced: true)
  }

  private func placedPlan(_ partitions: [ClusterView.Partition]) throws -> ReplicaPlan {
    let known = Set(partitions.map(\.name.partition))
    if let missing = Set(places.keys).subtracting(known).min() {
      throw CommandFailure("topic \(topics?.first ?? "") has no partition \(missing)")
    }
    var moves: [ReplicaPlan.Move] = []
    for partition in partitions {
      guard let target = places[partition.name.partition], target != partition.replicas else { continue }
      moves.append(.init(partition: partition.name, from: partition.replicas, to: target))
    }
    return ReplicaPlan(moves: moves)
  }
}
