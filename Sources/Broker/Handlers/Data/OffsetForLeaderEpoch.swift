internal import KafkaProtocol
internal import Primitives
internal import Replication

/// OffsetForLeaderEpoch: where the log of an epoch ends (KIP-101, KIP-320).
extension Shard {
  func offsetForLeaderEpoch(_ request: OffsetForLeaderEpochRequest, _ context: RequestContext) {
    let asked = request.topics.flatMap { topic in topic.partitions.map { (topic.topic, $0) } }
    runTasks(
      asked.map { route($0, $1.partition) },
      work: {
        .epochEndOffset(currentLeaderEpoch: asked[$0].1.currentLeaderEpoch, leaderEpoch: asked[$0].1.leaderEpoch)
      },
      finish: { [unowned self] outcomes in
        var next = outcomes.makeIterator()
        let topics = request.topics.map { topic in
          OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult(
            topic: topic.topic, partitions: topic.partitions.map { Self.endOffset($0.partition, next.next()) })
        }
        reply(context.replyTo, .offsetForLeaderEpoch(OffsetForLeaderEpochResponse(topics: topics)))
      })
  }

  private static func endOffset(
    _ index: Int32, _ outcome: PartitionTask.Outcome?
  ) -> OffsetForLeaderEpochResponse.EpochEndOffset {
    switch outcome {
    case .epochEndOffset(let leaderEpoch, let endOffset):
      .init(partition: index, leaderEpoch: leaderEpoch, endOffset: endOffset)
    case .failed(let error): .init(errorCode: error.code, partition: index)
    default: preconditionFailure("an epoch task came back as \(String(describing: outcome))")
    }
  }

  func epochEndOffset(_ current: Int32, _ epoch: Int32, on hosted: HostedPartition) -> PartitionTask.Outcome {
    do throws(KafkaError) {
      try hosted.partition.checkLeaderEpoch(current)
    } catch { return .failed(error) }
    let end = hosted.partition.endOffset(for: LeaderEpoch(epoch))
    return .epochEndOffset(leaderEpoch: end.leaderEpoch.value, endOffset: end.endOffset.value)
  }
}
