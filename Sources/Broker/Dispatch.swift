internal import KafkaProtocol
internal import Observability
internal import Primitives

/// From a frame to the handler of its request.
extension Shard {
  /// Decodes and starts one request: `frame` is the request without its length.
  func handle(_ frame: UnsafeRawBufferPointer, from connection: Connection) {
    guard let base = frame.baseAddress else { return }
    let rawKey = base.bigEndian(Int16.self, at: 0)
    let version = base.bigEndian(Int16.self, at: 2)
    let correlationID = base.bigEndian(Int32.self, at: 4)
    guard let apiKey = APIKey(rawValue: rawKey), let served = ServedVersions.range(apiKey) else {
      return end(connection, why: "request with the unknown API key \(rawKey)")
    }
    guard served.contains(version) else {
      if apiKey == .apiVersions { return answerUnsupportedApiVersions(connection, correlationID) }
      return end(connection, why: "\(apiKey.name) version \(version), of which \(served) are served")
    }

    var reader = Reader(frame)
    let header = reader.requestHeader(apiKey, version: version)
    identify(connection, header.clientID)
    let sequence = connection.nextSequence
    connection.nextSequence &+= 1
    connection.inFlight.append(
      .init(sequence: sequence, correlationID: correlationID, apiKey: apiKey, version: version, early: nil))
    let context = RequestContext(
      apiKey: apiKey, version: version, client: connection.identity,
      replyTo: .connection(connection.id, sequence: sequence))

    if apiKey == .produce {
      let request = ProduceRequest.decode(from: &reader, version: version)
      guard reader.failure == nil else { return refuse(connection, context, reader) }
      return produce(request, frame, context, connection, sequence)
    }
    let request = Request.decode(apiKey, version: version, from: &reader)
    guard reader.failure == nil else { return refuse(connection, context, reader) }
    dispatch(request, context, connection, sequence)
  }

  private func refuse(_ connection: Connection, _ context: RequestContext, _ reader: Reader) {
    let reason = reader.failure.map { "\($0)" } ?? "undecodable"
    connection.inFlight.removeLast()
    end(connection, why: "\(context.apiKey.name) version \(context.version): \(reason)")
  }

  /// Takes note of who sends, unless it is who sent before.
  private func identify(_ connection: Connection, _ bytes: UnsafeRawBufferPointer?) {
    guard let bytes else { return }
    if bytes.count == connection.clientIDBytes.count, bytes.elementsEqual(connection.clientIDBytes) { return }
    connection.clientIDBytes = Array(bytes)
    connection.identity = ClientIdentity(
      clientID: String(decoding: bytes, as: UTF8.self), address: connection.address)
  }

  /// Starts a request of a connection. The exhaustive switch keeps the list of what is served in one place.
  private func dispatch(_ request: Request, _ context: RequestContext, _ connection: Connection, _ sequence: UInt64) {
    if case .fetch(let request) = request { return fetch(request, context, connection, sequence) }
    start(request, context)
  }

  /// Starts a request, from a connection or handed over by another shard.
  func start(_ request: Request, _ context: RequestContext) {
    switch request {
    case .apiVersions(let request): apiVersions(request, context)
    case .metadata(let request): metadata(request, context)
    case .describeCluster(let request): describeCluster(request, context)
    case .describeTopicPartitions(let request): describeTopicPartitions(request, context)
    case .envelope(let request): envelope(request, context)

    case .listOffsets(let request): listOffsets(request, context)
    case .offsetForLeaderEpoch(let request): offsetForLeaderEpoch(request, context)
    case .deleteRecords(let request): deleteRecords(request, context)
    case .describeLogDirs(let request): describeLogDirs(request, context)
    case .initProducerId(let request): initProducerID(request, context)

    case .createTopics(let request): createTopics(request, context)
    case .deleteTopics(let request): deleteTopics(request, context)
    case .createPartitions(let request): createPartitions(request, context)
    case .alterConfigs(let request): alterConfigs(request, context)
    case .incrementalAlterConfigs(let request): incrementalAlterConfigs(request, context)
    case .describeConfigs(let request): describeConfigs(request, context)
    case .listConfigResources(let request): listConfigResources(request, context)
    case .electLeaders(let request): electLeaders(request, context)
    case .alterPartitionReassignments(let request): alterPartitionReassignments(request, context)
    case .listPartitionReassignments(let request): listPartitionReassignments(request, context)
    case .unregisterBroker(let request): unregisterBroker(request, context)

    case .findCoordinator(let request): findCoordinator(request, context)
    case .joinGroup, .syncGroup, .heartbeat, .leaveGroup, .offsetCommit, .offsetDelete, .offsetFetch, .describeGroups,
      .listGroups, .deleteGroups:
      groupRequest(request, context)

    case .produce, .fetch, .alterPartition, .brokerHeartbeat, .assignReplicasToDirs, .allocateProducerIds,
      .saslHandshake, .addPartitionsToTxn, .addOffsetsToTxn, .endTxn, .writeTxnMarkers,
      .txnOffsetCommit, .describeAcls, .createAcls, .deleteAcls, .alterReplicaLogDirs, .saslAuthenticate,
      .describeClientQuotas,
      .alterClientQuotas, .describeUserScramCredentials, .alterUserScramCredentials, .describeQuorum, .updateFeatures,
      .describeProducers, .describeTransactions, .listTransactions, .consumerGroupHeartbeat,
      .consumerGroupDescribe:
      // Produce and Fetch have their own ways in; every other key has no served versions and was refused before.
      preconditionFailure("\(context.apiKey.name) reached dispatch without a handler")
    }
  }
}
