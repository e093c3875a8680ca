internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives
internal import Replication
internal import Storage

/// DeleteRecords: moves the start of logs up (KIP-107).
extension Shard {
  func deleteRecords(_ request: DeleteRecordsRequest, _ context: RequestContext) {
    let asked = request.topics.flatMap { topic in topic.partitions.map { (topic.name, $0) } }
    let routes = asked.map { topic, partition -> Routed in
      if image.topic(named: topic)?.isInternal == true {
        return .failure(KafkaError(.invalidTopicException, "records of the internal topic \(topic) cannot be deleted"))
      }
      return route(topic, partition.partitionIndex)
    }
    runTasks(
      routes, work: { .deleteRecords(before: asked[$0].1.offset) },
      finish: { [unowned self] outcomes in
        var next = outcomes.makeIterator()
        let topics = request.topics.map { topic in
          DeleteRecordsResponse.DeleteRecordsTopicResult(
            name: topic.name, partitions: topic.partitions.map { Self.deleted($0.partitionIndex, next.next()) })
        }
        reply(context.replyTo, .deleteRecords(DeleteRecordsResponse(topics: topics)))
      })
  }

  private static func deleted(
    _ index: Int32, _ outcome: PartitionTask.Outcome?
  ) -> DeleteRecordsResponse.DeleteRecordsPartitionResult {
    switch outcome {
    case .deletedRecords(let lowWatermark): .init(partitionIndex: index, lowWatermark: lowWatermark)
    case .failed(let error): .init(partitionIndex: index, lowWatermark: -1, errorCode: error.code)
    default: preconditionFailure("a delete-records task came back as \(String(describing: outcome))")
    }
  }

  /// Moves one log's start; -1 stands for the high watermark. nil when it is answered later: once the new start is written
  /// down, for after a crash the log must not begin anew where it began before.
  func deleteRecords(
    before asked: Int64, on hosted: HostedPartition, waits: (RequestToken, Int)
  ) -> PartitionTask.Outcome? {
    let partition = hosted.partition
    guard partition.config.cleanupPolicy.contains(.delete) else {
      return .failed(KafkaError(.policyViolation, "\(partition.topicPartition) has a cleanup.policy without delete"))
    }
    let offset = asked == -1 ? partition.highWatermark : Offset(asked)
    guard offset >= .zero, offset <= partition.highWatermark else { return .failed(KafkaError(.offsetOutOfRange)) }
    let start = partition.log.logStartOffset
    var outcome = PartitionTask.Outcome.deletedRecords(lowWatermark: max(start, offset).value)
    // What somebody deleted before, and could not write down, is not deleted yet for whoever asks again.
    guard offset > start || hosted.isLogStartUnkept else { return outcome }
    do throws(LogError) { try partition.log.deleteRecords(before: offset, now: wallClock) } catch {
      outcome = .failed(Partition.kafkaError(error, partition.topicPartition))
    }
    // Also when removing the files failed: the next request is told where the log begins by now.
    guard partition.log.logStartOffset > start || hosted.isLogStartUnkept else { return outcome }
    hosted.isLogStartUnkept = true
    let kept = partition.log.logStartOffset
    keepLogStart(hosted) { [unowned self] isKept in
      if isKept, kept == partition.log.logStartOffset { hosted.isLogStartUnkept = false }
      finishTask(waits.0, waits.1, isKept ? outcome : .failed(KafkaError(.kafkaStorageError)))
    }
    return nil
  }
}
