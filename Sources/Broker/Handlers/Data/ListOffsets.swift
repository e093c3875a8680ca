internal import KafkaProtocol
internal import Primitives
internal import Replication
internal import Storage

/// ListOffsets: where logs begin, end, and what was there at a time. Answers to `KafkaApis.handleListOffsetRequest`.
extension Shard {
  func listOffsets(_ request: ListOffsetsRequest, _ context: RequestContext) {
    let asked = request.topics.flatMap { topic in topic.partitions.map { (topic.name, $0) } }
    // A partition named twice is refused for each time it is named, as in Kafka.
    var seen: [TopicPartition: Int] = [:]
    for (topic, partition) in asked { seen[TopicPartition(topic, partition.partitionIndex), default: 0] += 1 }
    let routes = asked.map { topic, partition -> Routed in
      if seen[TopicPartition(topic, partition.partitionIndex)] != 1 { return .failure(KafkaError(.invalidRequest)) }
      return route(topic, partition.partitionIndex)
    }
    let isReadCommitted = request.isolationLevel == 1
    runTasks(
      routes,
      work: {
        .listOffset(
          timestamp: asked[$0].1.timestamp, currentLeaderEpoch: asked[$0].1.currentLeaderEpoch,
          isReadCommitted: isReadCommitted)
      },
      finish: { [unowned self] outcomes in
        var next = outcomes.makeIterator()
        let topics = request.topics.map { topic in
          ListOffsetsResponse.ListOffsetsTopicResponse(
            name: topic.name,
            partitions: topic.partitions.map { Self.listed($0.partitionIndex, next.next(), context.version) })
        }
        reply(context.replyTo, .listOffsets(ListOffsetsResponse(topics: topics)))
      })
  }

  private static func listed(
    _ index: Int32, _ outcome: PartitionTask.Outcome?, _ version: Int16
  ) -> ListOffsetsResponse.ListOffsetsPartitionResponse {
    switch outcome {
    case .listedOffset(let offset, let timestamp, let leaderEpoch):
      .init(partitionIndex: index, timestamp: timestamp, offset: offset, leaderEpoch: leaderEpoch)
    // Before version 5 no client knows the error.
    case .failed(let error) where error.code == .offsetNotAvailable && version < 5:
      .init(partitionIndex: index, errorCode: .leaderNotAvailable)
    case .failed(let error): .init(partitionIndex: index, errorCode: error.code)
    default: preconditionFailure("a list-offsets task came back as \(String(describing: outcome))")
    }
  }

  /// Looks one timestamp up: a time in ms, or one of the special values.
  func listOffset(
    _ timestamp: Int64, _ currentLeaderEpoch: Int32, isReadCommitted: Bool, on hosted: HostedPartition
  ) -> PartitionTask.Outcome {
    let partition = hosted.partition
    let log = partition.log
    do throws(KafkaError) {
      try partition.checkLeaderEpoch(currentLeaderEpoch)
    } catch { return .failed(error) }
    switch timestamp {
    case -1:
      // A new leader may know of less than clients have seen already (R9).
      guard partition.isEndKnown else { return .failed(KafkaError(.offsetNotAvailable)) }
      return .listedOffset(
        offset: partition.highWatermark.value, timestamp: -1, leaderEpoch: partition.leaderEpoch.value)
    case -2, -4:
      // Without tiered storage the local log is the log.
      let start = log.logStartOffset
      let epoch = log.leaderEpochs.epoch(at: start) ?? partition.leaderEpoch
      return .listedOffset(offset: start.value, timestamp: -1, leaderEpoch: epoch.value)
    case -5: return .listedOffset(offset: -1, timestamp: -1, leaderEpoch: -1)
    case -3, 0...: return lookUp(timestamp, partition)
    default: return .failed(KafkaError(.unsupportedVersion, "no offset has the timestamp \(timestamp)"))
    }
  }

  private func lookUp(_ timestamp: Int64, _ partition: Partition) -> PartitionTask.Outcome {
    do throws(LogError) {
      let limit = partition.highWatermark
      let found =
        timestamp == -3
        ? try partition.log.offsetOfMaxTimestamp(upTo: limit)
        : try partition.log.offsetForTimestamp(Timestamp(milliseconds: timestamp), upTo: limit)
      guard let found else {
        guard partition.isEndKnown else { return .failed(KafkaError(.offsetNotAvailable)) }
        return .listedOffset(offset: -1, timestamp: -1, leaderEpoch: -1)
      }
      return .listedOffset(
        offset: found.offset.value, timestamp: found.timestamp.milliseconds, leaderEpoch: found.leaderEpoch.value)
    } catch { return .failed(Partition.kafkaError(error, partition.topicPartition)) }
  }
}
