internal import Glibc
package import KafkaProtocol
package import Primitives

/// Administration of a cluster: finds the broker that a question belongs to, asks it, and waits.
///
/// Errors of the protocol come as `ClientError.refused`. One owner, one thread.
package final class AdminClient {
  let timeoutMs: Int64
  private let dialling: AdminDialling
  private let seed: AdminConnection
  private var connections: [Int32: AdminConnection] = [:]
  private var addresses: [Int32: BrokerAddress] = [:]

  /// Connects to the first of `bootstrap` that answers.
  package init(
    bootstrap: [BrokerAddress], clientID: String = "ottla", timeoutMs: Int64 = 10_000,
    security: ConnectionSecurity = ConnectionSecurity()
  ) throws(ClientError) {
    self.timeoutMs = timeoutMs
    dialling = try AdminDialling(clientID: clientID, timeoutMs: timeoutMs, security: security)
    seed = try AdminConnection.first(of: bootstrap, by: dialling)
  }

  /// Where the brokers listen that were told of until now, in the order of their ids.
  package var brokerAddresses: [BrokerAddress] { addresses.sorted { $0.key < $1.key }.map(\.value) }

  /// The time that the brokers are given for changes, as requests carry it.
  var requestTimeoutMs: Int32 { Int32(clamping: timeoutMs) }

  /// The cluster's brokers and the named topics; all topics for nil, none for [].
  package func metadata(
    topics: [String]?, allowAutoTopicCreation: Bool = false
  ) throws(ClientError) -> MetadataResponse {
    let request = MetadataRequest(
      topics: topics.map { names in names.map { MetadataRequest.MetadataRequestTopic(name: $0) } },
      allowAutoTopicCreation: allowAutoTopicCreation)
    let answer = try seed.ask(.metadata, request, as: MetadataResponse.self)
    for broker in answer.brokers {
      guard let port = UInt16(exactly: broker.port) else { continue }
      addresses[broker.nodeId] = BrokerAddress(host: broker.host, port: port)
    }
    return answer
  }

  /// The partitions of an existing topic, in order.
  package func partitions(
    of topic: String, allowAutoTopicCreation: Bool = false
  ) throws(ClientError) -> [MetadataResponse.MetadataResponsePartition] {
    let answer = try metadata(topics: [topic], allowAutoTopicCreation: allowAutoTopicCreation)
    guard let found = answer.topics.first(where: { $0.name == topic }) else {
      throw .refused(operation: "topic \(topic)", KafkaError(.unknownTopicOrPartition))
    }
    try check(found.errorCode, nil, "topic \(topic)")
    return found.partitions.sorted { $0.partitionIndex < $1.partitionIndex }
  }

  /// The connection to broker `id`, made when first asked for.
  func connection(to id: Int32) throws(ClientError) -> AdminConnection {
    if let known = connections[id] { return known }
    if addresses[id] == nil { _ = try metadata(topics: []) }
    guard let address = addresses[id] else {
      throw .refused(operation: "broker \(id)", KafkaError(.brokerNotAvailable, "no broker with this id is alive"))
    }
    if address == seed.address {
      connections[id] = seed
      return seed
    }
    let made = try AdminConnection(to: address, by: dialling)
    connections[id] = made
    return made
  }

  /// The broker that takes changes; the one we have where the controller cannot be reached, for that one passes them on.
  func controller() throws(ClientError) -> AdminConnection {
    let cluster = try metadata(topics: [])
    guard cluster.controllerId >= 0 else { return seed }
    do throws(ClientError) { return try connection(to: cluster.controllerId) } catch { return seed }
  }

  /// The ids of all live brokers, in order.
  func brokerIDs() throws(ClientError) -> [Int32] {
    try metadata(topics: []).brokers.map(\.nodeId).sorted()
  }

  /// The broker that keeps `group`; waits while the cluster is still making up its mind.
  func coordinator(of group: String) throws(ClientError) -> AdminConnection {
    let request = FindCoordinatorRequest(key: group, keyType: 0)
    return try retrying("finding the coordinator of group \(group)") { () throws(ClientError) in
      let answer = try self.seed.ask(.findCoordinator, request, versionMax: 3, as: FindCoordinatorResponse.self)
      try check(answer.errorCode, answer.errorMessage, "finding the coordinator of group \(group)")
      if let port = UInt16(exactly: answer.port), !answer.host.isEmpty {
        self.addresses[answer.nodeId] = BrokerAddress(host: answer.host, port: port)
      }
      return try self.connection(to: answer.nodeId)
    }
  }

  /// Tries again while the answer is one that passes by itself, as long as the time limit allows.
  func retrying<Answer>(
    _ operation: String, _ attempt: () throws(ClientError) -> Answer
  ) throws(ClientError) -> Answer {
    let watch = Stopwatch()
    while true {
      do throws(ClientError) {
        return try attempt()
      } catch {
        guard case .refused(_, let refusal) = error, Self.passing.contains(refusal.code),
          watch.milliseconds < timeoutMs
        else { throw error }
      }
      usleep(100_000)
    }
  }

  /// Refusals that pass by themselves, while the cluster makes up its mind.
  package static let passing: Set<ErrorCode> = [
    .coordinatorNotAvailable, .coordinatorLoadInProgress, .notCoordinator, .leaderNotAvailable, .notLeaderOrFollower,
    .notController,
  ]
}

/// Throws unless `code` says that all is well.
func check(_ code: ErrorCode, _ message: String?, _ operation: String) throws(ClientError) {
  guard code == .none else { throw .refused(operation: operation, KafkaError(code, message)) }
}
