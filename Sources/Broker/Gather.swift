internal import Configuration
internal import KafkaProtocol
internal import Primitives
internal import Replication
internal import Storage

/// A request that was split by partition: what came of each part, and what to do when all are there.
final class PartitionGather {
  private var outcomes: [PartitionTask.Outcome?]
  private var missing: Int
  private let finish: ([PartitionTask.Outcome]) -> Void

  /// - Parameter count: how many outcomes there will be; `finish` is called when the last has come.
  init(count: Int, finish: @escaping ([PartitionTask.Outcome]) -> Void) {
    outcomes = Array(repeating: nil, count: count)
    missing = count
    self.finish = finish
  }

  var isComplete: Bool { missing == 0 }

  func take(_ index: Int, _ outcome: PartitionTask.Outcome) {
    precondition(outcomes[index] == nil, "part \(index) of a request came twice")
    outcomes[index] = outcome
    missing -= 1
  }

  func complete() { finish(outcomes.compactMap { $0 }) }
}

/// A request that was split by coordinator: the parts' responses, and how they become one.
final class ResponseGather {
  private var responses: [Response?]
  private var missing: Int
  private let finish: ([Response]) -> Void

  init(count: Int, finish: @escaping ([Response]) -> Void) {
    responses = Array(repeating: nil, count: count)
    missing = count
    self.finish = finish
  }

  var isComplete: Bool { missing == 0 }

  func take(_ part: Int, _ response: Response) {
    precondition(responses[part] == nil, "part \(part) of a request was answered twice")
    responses[part] = response
    missing -= 1
  }

  func complete() { finish(responses.compactMap { $0 }) }
}

extension Shard {
  /// Starts a split by coordinator. Each part is answered to `.part(token, index:)`.
  func gather(_ count: Int, finish: @escaping ([Response]) -> Void) -> RequestToken {
    let token = makeToken()
    responseGathers[token] = ResponseGather(count: count, finish: finish)
    return token
  }

  func gathered(_ token: RequestToken, _ part: Int, _ response: Response) {
    guard let gather = responseGathers[token] else { return }
    gather.take(part, response)
    guard gather.isComplete else { return }
    responseGathers[token] = nil
    gather.complete()
  }

  /// A partition that a request names, and the piece of work for it; or why there is none.
  typealias Routed = Result<(topicID: UUID, partition: Int32, place: PartitionPlace), KafkaError>

  /// Runs a piece of work for each partition, wherever it lives, and calls `finish` with what came of them, in order.
  func runTasks(
    _ routes: [Routed], work: (Int) -> PartitionTask.Work,
    finish: @escaping ([PartitionTask.Outcome]) -> Void
  ) {
    let gather = PartitionGather(count: routes.count, finish: finish)
    let token = makeToken()
    var remote: [[PartitionTask]] = Array(repeating: [], count: count)
    for (index, route) in routes.enumerated() {
      switch route {
      case .failure(let error): gather.take(index, .failed(error))
      case .success((let topicID, let partition, let place)):
        switch ready(place, topicID, partition) {
        case .here(let hosted):
          if let outcome = run(work(index), on: hosted, waits: (token, index)) { gather.take(index, outcome) }
        case .shard(let shard):
          remote[shard].append(
            PartitionTask(index: index, topicID: topicID, partition: partition, work: work(index)))
        case .offline: gather.take(index, .failed(KafkaError(.kafkaStorageError)))
        case .elsewhere, .opening: gather.take(index, .failed(KafkaError(.notLeaderOrFollower)))
        }
      }
    }
    if gather.isComplete { return gather.complete() }
    partitionGathers[token] = gather
    for (shard, tasks) in remote.enumerated() where !tasks.isEmpty {
      environment.links.send(.partitionTasks(from: index, token, tasks), to: shard)
    }
  }

  /// Another shard wants work done on partitions of this one.
  func takeTasks(from shard: Int, _ token: RequestToken, _ tasks: [PartitionTask]) {
    let indices = tasks.map(\.index)
    let routes = tasks.map { task -> Routed in
      guard let place = topicsByID[task.topicID]?.place(task.partition) else {
        return .failure(KafkaError(.unknownTopicOrPartition))
      }
      // The sender's image may be older or newer than this shard's; it never sends what this shard would send on.
      if case .shard = place { return .failure(KafkaError(.notLeaderOrFollower)) }
      return .success((task.topicID, task.partition, place))
    }
    runTasks(
      routes, work: { tasks[$0].work },
      finish: { [environment] outcomes in
        let results = zip(indices, outcomes).map { PartitionTask.Result(index: $0, outcome: $1) }
        environment.links.send(.partitionResults(token, results), to: shard)
      })
  }

  /// What came of one piece, now or later.
  func finishTask(_ token: RequestToken, _ index: Int, _ outcome: PartitionTask.Outcome) {
    guard let gather = partitionGathers[token] else { return }
    gather.take(index, outcome)
    guard gather.isComplete else { return }
    partitionGathers[token] = nil
    gather.complete()
  }

  /// Does a piece of work on a partition of this shard. nil when the outcome comes later, by `finishTask(waits)`.
  ///
  /// - Parameter isSafe: whether the work has waited for the records that were in the file when it came.
  func run(
    _ work: PartitionTask.Work, on hosted: HostedPartition, waits: (RequestToken, Int), isSafe: Bool = false
  ) -> PartitionTask.Outcome? {
    if work.isForTheLeader, !hosted.partition.isLeader { return .failed(Self.notLeader) }
    // Where other brokers have to confirm records the end is what they have confirmed by now.
    if !isSafe, work.looksAtTheEnd, !hosted.partition.hasOtherReplicas, hosted.partition.waitsForFlush,
      !hosted.partition.log.isFenced
    {
      let last = hosted.partition.log.writtenEndOffset.value - 1
      appendWaits.append(AppendWait(hosted, last, .highWatermark, .work(waits.0, waits.1, work)))
      return nil
    }
    switch work {
    case .produce(let records, let version, let acks, let timeoutMs):
      let outcome = records.withUnsafeBytes { append($0, version: version, acks: acks, to: hosted) }
      guard outcome.error == .none else { return .produced(outcome) }
      appendWaits.append(
        AppendWait(
          hosted, outcome.baseOffset, .init(acks: acks), .task(waits.0, waits.1, outcome),
          deadline: appendDeadline(hosted, acks: acks, timeoutMs: timeoutMs)))
      return nil
    case .read(let task): return read(task, from: hosted, waits: waits)
    case .listOffset(let timestamp, let epoch, let isReadCommitted):
      return listOffset(timestamp, epoch, isReadCommitted: isReadCommitted, on: hosted)
    case .deleteRecords(let offset): return deleteRecords(before: offset, on: hosted, waits: waits)
    case .epochEndOffset(let current, let epoch): return epochEndOffset(current, epoch, on: hosted)
    case .describeSize:
      let partition = hosted.partition
      return .size(bytes: partition.log.sizeBytes, logDir: config.logDirs[hosted.folder])
    }
  }

  /// The place of a partition by its topic's name.
  func route(_ topic: String, _ partition: Int32) -> Routed {
    guard let routed = topicsByName[topic], let place = routed.place(partition) else {
      return .failure(KafkaError(.unknownTopicOrPartition))
    }
    return .success((routed.id, partition, place))
  }
}
