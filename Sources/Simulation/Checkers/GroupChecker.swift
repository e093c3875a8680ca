internal import Primitives

/// What must hold of groups: a partition has one owner in a generation (G1), and what an older generation commits is refused
/// (G3).
final class GroupChecker {
  private struct Ownership: Hashable {
    let group: String
    let generation: Int32
    let partition: Int32
  }

  private unowned let simulator: ClusterSimulator
  private var owners: [Ownership: String] = [:]
  /// The highest generation in which a member got its partitions.
  private var generations: [String: TermedBound] = [:]

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  private func violate(_ invariant: String, _ log: TopicPartition, _ what: String) {
    guard let history = simulator.checkers.replicas.history(of: log), !history.isForgiven else { return }
    simulator.checkers.violate(invariant, what)
  }

  func generations(of group: String) -> TermedBound { generations[group] ?? TermedBound() }

  /// - Parameter term: the one in which the coordinator has answered, or one before.
  func joined(_ group: String, _ log: TopicPartition, generation: Int32, knownBefore: TermedBound, term: Int32) {
    guard let knownBefore = knownBefore.known(in: term), generation < knownBefore else { return }
    violate(
      "G1", log, "group \(group) is in generation \(generation), after members had their partitions in \(knownBefore)")
  }

  /// - Parameter term: the one in which the coordinator has answered, or a later one.
  func owns(
    _ group: String, _ log: TopicPartition, generation: Int32, member: String, partitions: [Int32], term: Int32
  ) {
    generations[group, default: TermedBound()].note(Int64(generation), in: term)
    for partition in partitions {
      let key = Ownership(group: group, generation: generation, partition: partition)
      if let other = owners[key], other != member {
        violate(
          "G1", log, "partition \(partition) belongs to two members of group \(group) in generation \(generation)")
      }
      owners[key] = member
    }
  }

  func committed(_ group: String, _ log: TopicPartition, generation: Int32, knownBefore: TermedBound) {
    guard let knownBefore = knownBefore.known(in: .max), generation < knownBefore else { return }
    violate("G3", log, "group \(group) took a commit of generation \(generation), and was in \(knownBefore) before")
  }
}
