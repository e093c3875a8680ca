internal import Client
internal import KafkaProtocol
internal import Primitives

extension AdminClient {
  /// Makes a topic.
  ///
  /// ```swift
  /// try await admin.createTopic("orders", partitions: 6, configs: ["cleanup.policy": "compact"])
  /// ```
  ///
  /// - Parameters:
  ///   - partitions: nil for the broker's default (`num.partitions`).
  ///   - replicationFactor: nil for the broker's default (`default.replication.factor`).
  ///   - configs: properties of the topic, by name.
  /// - Throws: `.refused` with code 36 (`TOPIC_ALREADY_EXISTS`), 37, 38, 40 and others.
  public func createTopic(
    _ name: String, partitions: Int32? = nil, replicationFactor: Int16? = nil, configs: [String: String] = [:]
  ) async throws(ClientError) {
    let configs = configs.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    try await ask(mayRepeat: false) { (client) throws(Client.ClientError) in
      _ = try client.createTopic(
        name, partitions: partitions, replicationFactor: replicationFactor, configs: configs)
    }
  }

  /// Deletes a topic with all its records.
  ///
  /// ```swift
  /// try await admin.deleteTopic("orders")
  /// ```
  ///
  /// - Throws: `.unknownTopic`.
  public func deleteTopic(_ name: String) async throws(ClientError) {
    try await ask(mayRepeat: false) { (client) throws(Client.ClientError) in try client.deleteTopic(name) }
  }

  /// Gives a topic more partitions, `total` in all. Keys may go to other partitions from then on.
  ///
  /// ```swift
  /// try await admin.createPartitions(of: "orders", total: 12)
  /// ```
  ///
  /// - Throws: `.unknownTopic`, `.refused` with code 37 (`INVALID_PARTITIONS`) where that is no more than there are.
  public func createPartitions(of topic: String, total: Int32) async throws(ClientError) {
    try await ask(mayRepeat: false) { (client) throws(Client.ClientError) in
      try client.createPartitions(of: topic, count: total)
    }
  }

  /// The names of all topics, in order.
  ///
  /// ```swift
  /// let names = try await admin.listTopics()
  /// ```
  ///
  /// - Parameter includingInternal: also those that brokers keep for themselves, such as `__consumer_offsets`.
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func listTopics(includingInternal: Bool = false) async throws(ClientError) -> [String] {
    try await ask { (client) throws(Client.ClientError) in
      try client.metadata(topics: nil).topics.filter { includingInternal || !$0.isInternal }.compactMap(\.name)
        .sorted()
    }
  }

  /// A topic's partitions, with who leads and keeps them.
  ///
  /// ```swift
  /// for partition in try await admin.describeTopic("orders").partitions {
  ///   print(partition.partition, partition.leader ?? -1, partition.isr)
  /// }
  /// ```
  ///
  /// - Throws: `.unknownTopic`.
  public func describeTopic(_ name: String) async throws(ClientError) -> TopicDescription {
    let answer = try await ask { (client) throws(Client.ClientError) in try client.metadata(topics: [name]) }
    guard let topic = answer.topics.first(where: { $0.name == name }) else { throw .unknownTopic(name) }
    guard topic.errorCode == .none else { throw ClientError(topic.errorCode, nil, "topic \(name)") }
    return TopicDescription(
      name: name, isInternal: topic.isInternal,
      partitions: topic.partitions.sorted { $0.partitionIndex < $1.partitionIndex }.map { partition in
        TopicDescription.Partition(
          partition: partition.partitionIndex, leader: partition.leaderId >= 0 ? partition.leaderId : nil,
          leaderEpoch: partition.leaderEpoch, replicas: partition.replicaNodes, isr: partition.isrNodes)
      })
  }

  /// Drops the records of each partition below an offset, -1 for all there are (KIP-107).
  ///
  /// ```swift
  /// let starts = try await admin.deleteRecords(before: [TopicPartition("orders", 0): 1000])
  /// ```
  ///
  /// - Returns: where each partition begins now.
  /// - Throws: `.unknownTopic`, `.unknownPartition`, `.refused` with code 1 (`OFFSET_OUT_OF_RANGE`) behind the high watermark.
  public func deleteRecords(
    before offsets: [TopicPartition: Int64]
  ) async throws(ClientError) -> [TopicPartition: Int64] {
    try await ask { (client) throws(Client.ClientError) in
      try client.deleteRecords(before: offsets.wire).public
    }
  }

  /// Looks a position up in each of `partitions` (Kafka's `listOffsets`).
  ///
  /// ```swift
  /// let ends = try await admin.listOffsets([TopicPartition("orders", 0)], at: .latest)
  /// ```
  ///
  /// - Returns: an offset for each; partitions without a record of that time or later are left out.
  /// - Throws: `.unknownTopic`, `.unknownPartition`, or what else the broker refuses.
  public func listOffsets(
    _ partitions: [TopicPartition], at position: OffsetSpec
  ) async throws(ClientError) -> [TopicPartition: Int64] {
    try await ask { (client) throws(Client.ClientError) in
      let found = try client.listOffsets(partitions.map(\.wire), position.query)
      return found.filter { $0.value.offset >= 0 }.mapValues(\.offset).public
    }
  }
}

/// What to look up in a partition (Kafka's `OffsetSpec`).
///
/// ```swift
/// let partitions = [TopicPartition("orders", 0), TopicPartition("orders", 1)]
/// let starts = try await admin.listOffsets(partitions, at: .earliest)
/// let ends = try await admin.listOffsets(partitions, at: .latest)
/// let midnight: OffsetSpec = .forTimestamp(1_764_374_400_000)  // 29 November 2025 in UTC
/// let today = try await admin.listOffsets(partitions, at: midnight)
/// for partition in partitions {
///   guard let start = starts[partition], let end = ends[partition] else { continue }
///   print("\(partition) goes from \(start) to \(end), \(end - (today[partition] ?? end)) of it since midnight")
/// }
/// ```
public enum OffsetSpec: Hashable, Sendable {
  /// The oldest record.
  case earliest
  /// Behind the newest record that may be read: the high watermark.
  case latest
  /// The first record of that time or later, in milliseconds since 1970.
  case forTimestamp(Int64)

  var query: OffsetQuery {
    switch self {
    case .earliest: .earliest
    case .latest: .latest
    case .forTimestamp(let time): .timestamp(time)
    }
  }
}

/// A topic and its partitions.
///
/// ```swift
/// func isAtRisk(_ partition: TopicDescription.Partition) -> Bool { partition.isr.count < partition.replicas.count }
/// let topic = try await admin.describeTopic("orders")
/// for partition in topic.partitions where isAtRisk(partition) {
///   let leader = partition.leader.map { "led by \($0) in epoch \(partition.leaderEpoch)" } ?? "without a leader"
///   print("\(topic.name) \(partition.partition), \(leader): \(partition.isr) of \(partition.replicas) in sync")
/// }
/// if topic.isInternal { print("the brokers keep it for themselves: leave it alone") }
/// ```
public struct TopicDescription: Hashable, Sendable {
  /// One partition of a topic.
  public struct Partition: Hashable, Sendable {
    /// Its number, from 0.
    public let partition: Int32
    /// The broker that leads it; nil while none does.
    public let leader: Int32?
    /// How often it has had a new leader; -1 where the broker does not tell.
    public let leaderEpoch: Int32
    /// The brokers that keep it, the preferred leader first.
    public let replicas: [Int32]
    /// Those of them that have every acknowledged record.
    public let isr: [Int32]
  }
  /// The topic's name.
  public let name: String
  /// Whether brokers keep it for themselves.
  public let isInternal: Bool
  /// Its partitions, by number.
  public let partitions: [Partition]
}
