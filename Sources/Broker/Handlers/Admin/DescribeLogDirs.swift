internal import Cluster
internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Primitives

/// DescribeLogDirs: what each partition takes on the disk (KIP-113).
extension Shard {
  func describeLogDirs(_ request: DescribeLogDirsRequest, _ context: RequestContext) {
    let asked: [TopicPartition]
    if let topics = request.topics {
      asked = topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.topic, $0) } }
    } else {
      asked = image.topicNames.flatMap { name in
        (image.topic(named: name)?.partitions.indices ?? 0..<0).map { TopicPartition(name, Int32($0)) }
      }
    }
    let known = asked.filter { image.topic(named: $0.topic)?.partitions.indices.contains(Int($0.partition)) == true }
    runTasks(
      known.map { route($0.topic, $0.partition) }, work: { _ in .describeSize },
      finish: { [unowned self] outcomes in
        var sizes: [String: [(TopicPartition, Int64)]] = [:]
        for case (let partition, .size(let bytes, let directory)) in zip(known, outcomes) {
          sizes[directory, default: []].append((partition, bytes))
        }
        let results = zip(config.logDirs, folders).map { directory, health in
          if case .failed = health {
            return DescribeLogDirsResponse.DescribeLogDirsResult(errorCode: .kafkaStorageError, logDir: directory)
          }
          return describe(directory, sizes[directory] ?? [])
        }
        reply(context.replyTo, .describeLogDirs(DescribeLogDirsResponse(results: results)))
      })
  }

  private func describe(
    _ directory: String, _ sizes: [(TopicPartition, Int64)]
  ) -> DescribeLogDirsResponse.DescribeLogDirsResult {
    var topics: [DescribeLogDirsResponse.DescribeLogDirsTopic] = []
    for (partition, bytes) in sizes {
      let entry = DescribeLogDirsResponse.DescribeLogDirsPartition(
        partitionIndex: partition.partition, partitionSize: bytes, offsetLag: 0, isFutureKey: false)
      if topics.last?.name == partition.topic {
        topics[topics.count - 1].partitions.append(entry)
      } else {
        topics.append(.init(name: partition.topic, partitions: [entry]))
      }
    }
    let space = try? environment.fileSystem.space(at: directory)
    return .init(
      errorCode: space == nil ? .kafkaStorageError : .none, logDir: directory, topics: topics,
      totalBytes: space?.totalBytes ?? -1, usableBytes: space?.usableBytes ?? -1)
  }
}
