package import Primitives

/// The cluster's metadata as of one offset of the metadata log: a value, cheap to copy and to hand to every shard.
///
/// `replay` is its only mutation, but for `controllerID`, which is no record: the coordination service knows it.
package struct ClusterImage: Sendable {
  /// The last record that is in the image; -1 before the first.
  package internal(set) var offset = Offset(-1)
  /// The cluster's id, 22 characters; empty until the cluster was created.
  package internal(set) var clusterID = ""
  /// The brokers that are registered; for an order use `sortedBrokers`.
  package internal(set) var brokers: [BrokerID: BrokerRegistration] = [:]
  /// The first producer id that was never handed out.
  package internal(set) var nextProducerID = ProducerID(0)
  /// Partitions of all topics.
  package internal(set) var partitionCount = 0
  /// Records that fit nothing there was (a partition of an unknown topic, a gap between partitions). They change nothing;
  /// a log written by us has none.
  package internal(set) var ignoredRecordCount = 0

  var topicsByID = BucketedTable<UUID, TopicImage>()
  var idsByName = BucketedTable<String, UUID>()
  /// Collision key -> name, of the topics with a '.' or a '_' in their names.
  var namesByCollisionKey = BucketedTable<String, String>()
  /// Of everything but topics: theirs are in their image.
  var resourceConfigs: [ConfigResource: [String: String]] = [:]
  private var electedController = BrokerID.none

  package init() {}

  /// The broker that is the controller. While none was named it is the lowest broker that is alive: clients want a live one.
  package var controllerID: BrokerID {
    get {
      if electedController != .none { return electedController }
      return brokers.values.lazy.filter { !$0.isFenced }.map(\.id).min() ?? .none
    }
    set { electedController = newValue }
  }

  /// The brokers in the order of their ids.
  package var sortedBrokers: [BrokerRegistration] { brokers.values.sorted { $0.id < $1.id } }

  /// How many topics there are.
  package var topicCount: Int { topicsByID.count }

  /// Every topic's name, in order. Sorts: for requests about all topics, not for the hot path.
  package var topicNames: [String] { idsByName.keys.sorted() }

  /// The topic of that name.
  package func topic(named name: String) -> TopicImage? {
    idsByName[name].flatMap { topicsByID[$0] }
  }

  /// The topic of that id.
  package func topic(id: UUID) -> TopicImage? { topicsByID[id] }

  /// The topic whose name cannot be told from `name` in metric names ('.' and '_' are the same there), if it is another.
  package func topicColliding(with name: String) -> String? {
    guard TopicName.canCollide(name) else { return nil }
    return namesByCollisionKey[TopicName.collisionKey(of: name)]
  }

  /// The configs that were set on `resource` itself; empty where none were.
  package func configs(for resource: ConfigResource) -> [String: String] {
    if resource.type == .topic { return topic(named: resource.name)?.configs ?? [:] }
    return resourceConfigs[resource] ?? [:]
  }

  /// The offset the next record gets.
  package var nextOffset: Offset { offset.advanced(by: 1) }
}
