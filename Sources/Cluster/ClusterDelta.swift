internal import KafkaProtocol
package import Primitives

/// What a run of records changed, for whoever must act on it: partitions that start, stop, or change their leader.
///
/// Each list is in the order in which the records first touched its members.
package struct ClusterDelta: Sendable, Equatable {
  /// Topics that are there now and were not before.
  package var topicsCreated: [UUID] = []
  /// Topics that have other partitions now: more of them, or some with another leader, epoch or replicas.
  package var topicsChanged: [UUID] = []
  /// Of those topics, the partitions that are new or otherwise.
  package var partitionsChanged: [TopicIDPartition] = []
  /// Topics that are gone, as they were.
  package var topicsDeleted: [TopicImage] = []
  /// Resources whose configs differ; a topic that came or went is not among them.
  package var configsChanged: [ConfigResource] = []
  /// Brokers that came or went, registered again, were fenced or not any more, or are about to stop.
  package var brokersChanged: [BrokerID] = []

  package init() {}

  /// Whether nothing is left to act on.
  package var isEmpty: Bool {
    topicsCreated.isEmpty && topicsChanged.isEmpty && topicsDeleted.isEmpty && configsChanged.isEmpty
      && brokersChanged.isEmpty
  }

  /// What `records` changed; `before` and `after` are the images around them.
  package static func collect(
    _ records: [MetadataRecord], before: ClusterImage, after: ClusterImage
  ) -> ClusterDelta {
    var delta = ClusterDelta()
    var touched = Touched()
    for record in records { touched.note(record) }
    for id in touched.topics.members { delta.noteTopic(id, before: before, after: after) }
    delta.notePartitions(touched.partitions.members, before: before, after: after)
    for resource in touched.resources.members { delta.noteConfigs(of: resource, before: before, after: after) }
    for broker in touched.brokers.members where before.brokers[broker] != after.brokers[broker] {
      delta.brokersChanged.append(broker)
    }
    return delta
  }

  private mutating func noteTopic(_ id: UUID, before: ClusterImage, after: ClusterImage) {
    switch (before.topic(id: id), after.topic(id: id)) {
    case (nil, .some): topicsCreated.append(id)
    case (.some(let old), nil): topicsDeleted.append(old)
    case (.some, .some), (nil, nil): break
    }
  }

  /// Looks at the partitions that records name, not at all there are: a topic may have ten thousand.
  private mutating func notePartitions(
    _ partitions: [TopicIDPartition], before: ClusterImage, after: ClusterImage
  ) {
    var topics = FirstMentions<UUID>()
    for partition in partitions {
      guard let old = before.topic(id: partition.topicID), let new = after.topic(id: partition.topicID),
        old.partition(partition.partition) != new.partition(partition.partition)
      else { continue }
      topics.note(partition.topicID)
      partitionsChanged.append(partition)
    }
    topicsChanged = topics.members
  }

  private mutating func noteConfigs(of resource: ConfigResource, before: ClusterImage, after: ClusterImage) {
    if resource.type == .topic {
      guard let old = before.topic(named: resource.name), let new = after.topic(named: resource.name),
        old.id == new.id, old.configs != new.configs
      else { return }
      configsChanged.append(resource)
    } else if before.configs(for: resource) != after.configs(for: resource) {
      configsChanged.append(resource)
    }
  }
}

/// The things that records name, each once, in the order of their first mention.
private struct Touched {
  var topics = FirstMentions<UUID>()
  var partitions = FirstMentions<TopicIDPartition>()
  var resources = FirstMentions<ConfigResource>()
  var brokers = FirstMentions<BrokerID>()

  mutating func note(_ record: MetadataRecord) {
    switch record {
    case .cluster, .producerIds: break
    case .broker(let record): brokers.note(BrokerID(record.brokerId))
    case .removeBroker(let record): brokers.note(BrokerID(record.brokerId))
    case .topic(let record): topics.note(record.topicId)
    case .partition(let record): partitions.note(TopicIDPartition(record.topicId, record.partitionIndex))
    case .removeTopic(let record): topics.note(record.topicId)
    case .config(let record):
      guard let type = ConfigResourceType(rawValue: record.resourceType) else { return }
      resources.note(ConfigResource(type: type, name: record.resourceName))
    }
  }
}

/// A list without repetitions, in the order of first mention.
struct FirstMentions<Member: Hashable> {
  private(set) var members: [Member] = []
  private var seen: Set<Member> = []

  mutating func note(_ member: Member) {
    if seen.insert(member).inserted { members.append(member) }
  }
}
