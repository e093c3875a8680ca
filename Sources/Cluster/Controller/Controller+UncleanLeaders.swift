internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  private static let uncleanConfig = "unclean.leader.election.enable"

  /// Where configs that `plan` sets allow unclean leaders, partitions without a leader get one at once.
  func addUncleanLeaders(to plan: inout Plan) {
    var topics: Set<String> = []
    var mayBeAny = false
    for case .config(let record) in plan.records where record.name == Self.uncleanConfig {
      if record.resourceType == ConfigResourceType.topic.rawValue {
        topics.insert(record.resourceName)
      } else {
        mayBeAny = true
      }
    }
    if topics.isEmpty, !mayBeAny { return }
    let config = plan.image.effectiveConfig(of: config)
    let brokers = LivingBrokers(plan.image.brokers)
    for name in mayBeAny ? plan.image.topicNames : topics.sorted() {
      guard let topic = plan.image.topic(named: name),
        config.topicConfig(overrides: topic.configs).uncleanLeaderElectionEnable
      else { continue }
      let election = LeaderElection(brokers: brokers, isUncleanAllowed: true)
      for (index, old) in topic.partitions.enumerated() where old.leader == .none {
        guard let elected = election.settled(old, from: old) else { continue }
        plan.add(elected.record(topicID: topic.id, index: Int32(clamping: index)))
      }
    }
  }
}
