internal import KafkaProtocol
internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// Produce: validate, append, and answer when the turn has written. Answers to `KafkaApis.handleProduceRequest`.
extension Shard {
  /// - Parameter frame: the memory that the request's records lie in; valid only during this call.
  func produce(
    _ request: ProduceRequest, _ frame: UnsafeRawBufferPointer, _ context: RequestContext, _ connection: Connection,
    _ sequence: UInt64
  ) {
    if let error = Self.refusal(of: request) {
      let outcome = PartitionTask.ProduceOutcome(failing: error)
      let count = request.topicData.reduce(0) { $0 + $1.partitionData.count }
      let outcomes = Array(repeating: PartitionTask.Outcome.produced(outcome), count: count)
      return finishProduce(request, outcomes, connection, sequence)
    }
    if request.topicData.count == 1, request.topicData[0].partitionData.count == 1,
      produceToOne(request, frame, context.version, connection, sequence)
    {
      return
    }
    produceToMany(request, frame, context, connection, sequence)
  }

  private static func refusal(of request: ProduceRequest) -> KafkaError? {
    guard (-1...1).contains(request.acks) else {
      return KafkaError(.invalidRequiredAcks, "acks must be -1, 0 or 1, not \(request.acks)")
    }
    if request.transactionalId != nil {
      return KafkaError(.invalidRequest, "transactions are not served by this broker yet")
    }
    return nil
  }

  /// The usual request: one partition. On this shard no bytes are copied but into the log's pending write; for another
  /// shard the records are copied once, into the message.
  private func produceToOne(
    _ request: ProduceRequest, _ frame: UnsafeRawBufferPointer, _ version: Int16, _ connection: Connection,
    _ sequence: UInt64
  ) -> Bool {
    let topic = request.topicData[0]
    let partition = topic.partitionData[0]
    guard let routed = routedTopic(topic.name), let place = routed.place(partition.index),
      let records = partition.records.resolved(in: frame)
    else { return false }
    let single = SingleProduce(topic: topic.name, partition: partition.index, acks: request.acks)
    connection.inFlight[connection.inFlight.count - 1].produce = single
    switch ready(place, routed.id, partition.index) {
    case .here(let hosted):
      let outcome = append(records, version: version, acks: request.acks, to: hosted)
      if outcome.error == .none {
        let purpose = AppendWait.Purpose.produce(connection, sequence: sequence, outcome)
        let deadline = appendDeadline(hosted, acks: request.acks, timeoutMs: request.timeoutMs)
        appendWaits.append(
          AppendWait(hosted, outcome.baseOffset, .init(acks: request.acks), purpose, deadline: deadline))
      } else {
        finishProduce(connection, sequence, outcome)
      }
    case .shard(let shard):
      let message = RemoteProduce(
        shard: index, connection: connection.id, sequence: sequence, topicID: routed.id, partition: partition.index,
        version: version, acks: request.acks, timeoutMs: request.timeoutMs, records: Array(records))
      hold(records.count, for: connection)
      environment.links.send(.produce(message), to: shard)
    case .offline, .elsewhere, .opening: return false
    }
    return true
  }

  /// A topic by name; requests that follow one another mostly name the same.
  private func routedTopic(_ name: String) -> RoutedTopic? {
    if let last = lastTopic, last.name == name { return last }
    lastTopic = topicsByName[name]
    return lastTopic
  }

  /// Another shard's client produces to a partition of this one.
  func takeProduce(_ produce: RemoteProduce) {
    let place = topicsByID[produce.topicID]?.place(produce.partition).map {
      ready($0, produce.topicID, produce.partition)
    }
    guard case .here(let hosted)? = place else {
      let isOffline = if case .offline? = place { true } else { false }
      let error = KafkaError(isOffline ? .kafkaStorageError : .notLeaderOrFollower)
      let outcome = PartitionTask.ProduceOutcome(failing: error)
      return environment.links.send(.produced(produce.connection, produce.sequence, outcome), to: produce.shard)
    }
    let outcome = produce.records.withUnsafeBytes {
      append($0, version: produce.version, acks: produce.acks, to: hosted)
    }
    if outcome.error == .none {
      let purpose = AppendWait.Purpose.remoteProduce(produce.shard, produce.connection, produce.sequence, outcome)
      let deadline = appendDeadline(hosted, acks: produce.acks, timeoutMs: produce.timeoutMs)
      appendWaits.append(AppendWait(hosted, outcome.baseOffset, .init(acks: produce.acks), purpose, deadline: deadline))
    } else {
      environment.links.send(.produced(produce.connection, produce.sequence, outcome), to: produce.shard)
    }
  }

  func produced(_ id: ConnectionID, _ sequence: UInt64, _ outcome: PartitionTask.ProduceOutcome) {
    if let connection = connection(id) { finishProduce(connection, sequence, outcome) }
  }

  /// Answers a request for one partition.
  func finishProduce(_ connection: Connection, _ sequence: UInt64, _ outcome: PartitionTask.ProduceOutcome) {
    guard !connection.isClosed, let request = connection.inFlight.first(where: { $0.sequence == sequence }),
      let single = request.produce
    else { return }
    if single.acks == 0 {
      finishWithoutAnswer(connection, sequence)
      if outcome.error != .none { end(connection, why: Self.describe(outcome, single.topic, single.partition)) }
      return
    }
    var response = ProduceResponse(
      responses: [.init(name: single.topic, partitionResponses: [Self.response(single.partition, outcome)])])
    if Self.meansOtherLeader(outcome.error) { nameLeaders(in: &response, for: connection.identity) }
    answer(connection, sequence, .produce(response), files: [], source: nil)
  }

  private func produceToMany(
    _ request: ProduceRequest, _ frame: UnsafeRawBufferPointer, _ context: RequestContext, _ connection: Connection,
    _ sequence: UInt64
  ) {
    var routes: [Routed] = []
    var records: [UnsafeRawBufferPointer?] = []
    for topic in request.topicData {
      for partition in topic.partitionData {
        routes.append(route(topic.name, partition.index))
        records.append(partition.records.resolved(in: frame))
      }
    }
    let version = context.version
    hold(records.reduce(0) { $0 + ($1?.count ?? 0) }, for: connection)
    runTasks(
      routes,
      work: {
        .produce(
          records: records[$0].map { Array($0) } ?? [], version: version, acks: request.acks,
          timeoutMs: request.timeoutMs)
      },
      finish: { [unowned self] outcomes in finishProduce(request, outcomes, connection, sequence) })
  }

  private func finishProduce(
    _ request: ProduceRequest, _ outcomes: [PartitionTask.Outcome], _ connection: Connection, _ sequence: UInt64
  ) {
    guard !connection.isClosed else { return }
    var next = outcomes.makeIterator()
    var failure: String?
    let topics = request.topicData.map { topic in
      let partitions = topic.partitionData.map { partition -> ProduceResponse.PartitionProduceResponse in
        let outcome = Self.produceOutcome(next.next())
        if outcome.error != .none { failure = Self.describe(outcome, topic.name, partition.index) }
        return Self.response(partition.index, outcome)
      }
      return ProduceResponse.TopicProduceResponse(name: topic.name, partitionResponses: partitions)
    }
    if request.acks == 0 {
      // Nobody reads an answer to acks=0; closing the connection is how its client learns of a failure.
      finishWithoutAnswer(connection, sequence)
      if let failure { end(connection, why: failure) }
    } else {
      var response = ProduceResponse(responses: topics)
      if failure != nil { nameLeaders(in: &response, for: connection.identity) }
      answer(connection, sequence, .produce(response), files: [], source: nil)
    }
  }

  private static func describe(_ outcome: PartitionTask.ProduceOutcome, _ topic: String, _ partition: Int32) -> String {
    "a produce request with acks=0 to \(topic)-\(partition) failed: \(outcome.error.name) \(outcome.message ?? "")"
  }

  private static func produceOutcome(_ outcome: PartitionTask.Outcome?) -> PartitionTask.ProduceOutcome {
    switch outcome {
    case .produced(let outcome): outcome
    case .failed(let error): .init(failing: error)
    default: preconditionFailure("a produce task came back as \(String(describing: outcome))")
    }
  }

  private static func response(
    _ index: Int32, _ outcome: PartitionTask.ProduceOutcome
  ) -> ProduceResponse.PartitionProduceResponse {
    .init(
      index: index, errorCode: outcome.error, baseOffset: outcome.baseOffset,
      logAppendTimeMs: outcome.logAppendTimeMs, logStartOffset: outcome.logStartOffset,
      recordErrors: outcome.recordErrors, errorMessage: outcome.message)
  }

  /// Retriable: a client goes on trying until there is room, or its delivery timeout.
  private static let noRoom = KafkaError(
    .kafkaStorageError, "the broker's disk is full: records are refused until there is room (ottla.disk.free.bytes.min)"
  )

  /// Appends one partition's records to the log's pending write. An error leaves nothing behind.
  func append(
    _ records: UnsafeRawBufferPointer, version: Int16, acks: Int16, to hosted: HostedPartition
  ) -> PartitionTask.ProduceOutcome {
    let partition = hosted.partition
    guard hasRoom(hosted.folder) else { return .init(failing: Self.noRoom) }
    do throws(BatchRejection) {
      let appended = try partition.appendAsLeader(
        records, version: version, requiresAllReplicas: acks == -1, validator: validator, now: wallClock)
      if appended.isNew { markDirty(hosted) }
      return .init(
        baseOffset: appended.baseOffset.value, logAppendTimeMs: appended.logAppendTime.milliseconds,
        logStartOffset: partition.log.logStartOffset.value)
    } catch {
      if partition.hasAppendFailure { markDirty(hosted) }
      return .init(
        baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, error: error.code, message: error.message,
        recordErrors: error.recordErrors.map { .init(batchIndex: $0.index, batchIndexErrorMessage: $0.message) })
    }
  }
}
