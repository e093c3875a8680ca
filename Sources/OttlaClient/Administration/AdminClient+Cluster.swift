internal import Client
internal import KafkaProtocol
internal import Primitives

/// A cluster and its brokers.
///
/// ```swift
/// let cluster = try await admin.describeCluster()
/// func line(_ broker: ClusterDescription.Broker) -> String {
///   let role = broker.id == cluster.controllerId ? "controller" : "broker"
///   return "\(role) \(broker.id) at \(broker.host):\(broker.port), rack \(broker.rack ?? "unknown")"
/// }
/// print("cluster \(cluster.clusterId)")
/// for broker in cluster.brokers { print(line(broker)) }
/// ```
public struct ClusterDescription: Hashable, Sendable {
  /// A broker of a cluster.
  public struct Broker: Hashable, Sendable {
    /// Its id (`broker.id`).
    public let id: Int32
    /// Where clients reach it.
    public let host: String
    /// The port there.
    public let port: Int32
    /// Where it stands (`broker.rack`); nil where it does not tell.
    public let rack: String?
  }
  /// The cluster's id.
  public let clusterId: String
  /// The broker that takes changes; nil while none does.
  public let controllerId: Int32?
  /// The brokers that are alive, by id.
  public let brokers: [Broker]
}

/// A move of replicas that is under way (KIP-455).
///
/// ```swift
/// for move in try await admin.listPartitionReassignments() {
///   let staying = move.replicas.filter { !move.addingReplicas.contains($0) && !move.removingReplicas.contains($0) }
///   print("\(move.topicPartition) stays on \(staying), joins \(move.addingReplicas), leaves \(move.removingReplicas)")
/// }
/// ```
public struct PartitionReassignment: Hashable, Sendable {
  /// What moves.
  public let topicPartition: TopicPartition
  /// All brokers that keep it at present.
  public let replicas: [Int32]
  /// Those of them that are joining.
  public let addingReplicas: [Int32]
  /// Those that will leave.
  public let removingReplicas: [Int32]
}

/// Which brokers may become leader in an election.
///
/// After a broker has come back, the load is as it was planned again:
///
/// ```swift
/// let partitions = try await admin.describeTopic("orders").partitions
/// let astray = partitions.filter { $0.leader != nil && $0.leader != $0.replicas.first }
/// _ = try await admin.electLeaders(.preferred, of: astray.map { TopicPartition("orders", $0.partition) })
/// ```
///
/// Only where no replica that was in sync will ever come back:
///
/// ```swift
/// let partitions = try await admin.describeTopic("orders").partitions
/// let leaderless = partitions.filter { $0.leader == nil }.map { TopicPartition("orders", $0.partition) }
/// for (partition, error) in try await admin.electLeaders(.unclean, of: leaderless) { print(partition, error) }
/// ```
public enum ElectionType: Int8, Sendable {
  /// The first of the replicas, where it is in sync.
  case preferred = 0
  /// Any replica that is alive, where none is in sync: what the others had more is lost.
  case unclean = 1
}

extension AdminClient {
  /// The cluster's id, its controller and its brokers.
  ///
  /// ```swift
  /// let cluster = try await admin.describeCluster()
  /// for broker in cluster.brokers { print(broker.id, broker.host, broker.port, broker.rack ?? "-") }
  /// ```
  ///
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func describeCluster() async throws(ClientError) -> ClusterDescription {
    // Metadata tells the same, and brokers before 2.8 know no other request for it.
    let answer = try await ask { (client) throws(Client.ClientError) in try client.metadata(topics: []) }
    return ClusterDescription(
      clusterId: answer.clusterId ?? "", controllerId: answer.controllerId >= 0 ? answer.controllerId : nil,
      brokers: answer.brokers.sorted { $0.nodeId < $1.nodeId }.map {
        ClusterDescription.Broker(id: $0.nodeId, host: $0.host, port: $0.port, rack: $0.rack)
      })
  }

  /// Elects leaders of `partitions` anew.
  ///
  /// ```swift
  /// let refused = try await admin.electLeaders(.preferred, of: [TopicPartition("orders", 0)])
  /// for (partition, error) in refused { print("\(partition) keeps its leader: \(error)") }
  /// ```
  ///
  /// - Returns: the partitions whose election was refused, and why; not those that needed none.
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func electLeaders(
    _ type: ElectionType, of partitions: [TopicPartition]
  ) async throws(ClientError) -> [TopicPartition: ClientError] {
    let kind: ElectionKind = type == .preferred ? .preferred : .unclean
    return try await ask { (client) throws(Client.ClientError) in
      Self.errors(try client.electLeaders(kind, of: partitions.map(\.wire)), "electing a leader")
    }
  }

  /// Moves partitions to other brokers: `targets` are those that shall keep each, the preferred leader first; nil takes back
  /// a move that is under way (KIP-455). The moves go on by themselves afterwards.
  ///
  /// ```swift
  /// let orders = TopicPartition("orders", 0)
  /// let refused = try await admin.alterPartitionReassignments([orders: [2, 3, 4]])
  /// if let error = refused[orders] { throw error }
  /// while try await !admin.listPartitionReassignments().isEmpty { try await Task.sleep(for: .seconds(1)) }
  /// ```
  ///
  /// - Returns: the partitions whose move was refused, and why.
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func alterPartitionReassignments(
    _ targets: [TopicPartition: [Int32]?]
  ) async throws(ClientError) -> [TopicPartition: ClientError] {
    try await ask { (client) throws(Client.ClientError) in
      Self.errors(try client.alterReassignments(targets.wire), "moving a partition")
    }
  }

  /// The moves under way, by partition.
  ///
  /// ```swift
  /// for move in try await admin.listPartitionReassignments() { print(move.topicPartition, move.addingReplicas) }
  /// ```
  ///
  /// - Throws: `ClientError`: `.brokersUnavailable`, `.connectionLost`, `.tlsFailed`, `.authenticationFailed`, or `.refused` with the broker's code.
  public func listPartitionReassignments() async throws(ClientError) -> [PartitionReassignment] {
    try await ask { (client) throws(Client.ClientError) in
      try client.ongoingReassignments().map {
        PartitionReassignment(
          topicPartition: TopicPartition($0.partition), replicas: $0.replicas, addingReplicas: $0.adding,
          removingReplicas: $0.removing)
      }
    }
  }

  private static func errors(
    _ refused: [Primitives.TopicPartition: KafkaError], _ operation: String
  ) -> [TopicPartition: ClientError] {
    refused.mapValues { ClientError($0, operation) }.public
  }
}
