public import OttlaClient

extension DeadLetters {
  /// What a replay has done.
  ///
  /// ```swift
  /// let replay = try await DeadLetters.replay("orders.DLT", configuration, by: producer) { $0.value != nil }
  /// print("\(replay.replayedCount) records are on their way again, \(replay.leftOutCount) were left out")
  /// // Somebody has put them there without the headers of a dead letter. Where they belong, only he knows.
  /// if replay.unknownCount > 0 { print("\(replay.unknownCount) need a replay with `to`") }
  /// ```
  public struct Replay: Hashable, Sendable {
    /// Records put back to where they came from.
    public var replayedCount = 0
    /// Records that the filter left out.
    public var leftOutCount = 0
    /// Records that do not say where they came from, or came from the topic itself: they stay.
    public var unknownCount = 0
  }

  /// Puts the records of a topic of dead letters back to their original topics, to be tried anew: to the partition of the same number
  /// where there is one, with their headers but those of ``FailureHeader``.
  ///
  /// It ends at what was the topic's end when it began. With a `groupId` in `configuration` it goes on where the last replay of that
  /// group has ended, and so no record is put back twice, but for those in the middle of which the program was ended; those left out count as seen.
  /// Without a group it begins at the oldest record. The dead letters themselves stay until the topic's retention takes them.
  ///
  /// ```swift
  /// var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "replay")
  /// let replay = try await DeadLetters.replay("notification.DLT", configuration, by: producer, limit: 100) { letter in
  ///   letter.header(FailureHeader.errorType)?.text?.hasSuffix("MailServerAway") == true
  /// }
  /// print("\(replay.replayedCount) records are on their way again")
  /// ```
  ///
  /// - Parameters:
  ///   - topic: the topic of dead letters.
  ///   - limit: how many are put back at most.
  ///   - destination: where they go, whatever their headers say; nil for where they came from.
  ///   - filter: which are put back; all unless given.
  /// - Throws: `ClientError` and `ProducerError`; what was put back by then is committed.
  public static func replay(
    _ topic: String, _ configuration: ConsumerConfiguration, by producer: Producer, limit: Int = .max,
    to destination: String? = nil, where filter: @Sendable (ConsumerRecord) throws -> Bool = { _ in true }
  ) async throws -> Replay {
    var configuration = configuration
    configuration.enableAutoCommit = false
    configuration.autoOffsetReset = .earliest
    let partitions = try await partitions(of: topic, configuration)
    return try await withConsumer(configuration) { consumer in
      var ends = ReplayEnds()
      for partition in partitions { ends.add(partition, try await consumer.watermarkOffsets(of: partition)) }
      if configuration.groupId != nil {
        for (partition, offset) in try await consumer.committed(partitions) { ends.begin(partition, at: offset) }
      }
      var replay = Replay()
      guard !ends.isOver, limit > 0 else { return replay }
      try await consumer.assign(
        Dictionary(uniqueKeysWithValues: ends.starts.map { ($0.partition, StartPosition.offset($0.offset)) }))
      var records = consumer.records.makeAsyncIterator()
      while !ends.isOver, replay.replayedCount < limit, let record = try await records.next() {
        guard ends.reach(record.topicPartition, record.offset) else { continue }
        try await replay.take(record, destination, filter, producer)
        if configuration.groupId != nil { try await consumer.commit(record) }
      }
      return replay
    }
  }

  private static func partitions(
    of topic: String, _ configuration: ConsumerConfiguration
  ) async throws(ClientError) -> [TopicPartition] {
    let admin = try AdminClient(AdminConfiguration(like: configuration, for: "a replay"))
    let found = try await admin.describeTopic(topic).partitions.map { TopicPartition(topic, $0.partition) }
    await admin.disconnect()
    return found
  }
}

extension DeadLetters.Replay {
  mutating func take(
    _ record: ConsumerRecord, _ destination: String?, _ filter: (ConsumerRecord) throws -> Bool, _ producer: Producer
  ) async throws {
    guard try filter(record) else {
      leftOutCount += 1
      return
    }
    let history = FailureHistory(
      record.topicPartition, record.offset, timestamp: record.timestamp, headers: record.headers, isRetry: true)
    let topic = destination ?? history.topic
    guard topic != record.topic else {
      unknownCount += 1
      return
    }
    let copy = ProducerRecord(
      topic: topic, partition: history.partition, key: record.key, value: record.value,
      headers: record.headers.withoutFailures)
    _ = try await FailureWriter.send(toSamePartition: copy) { (record) throws(ProducerError) in
      try await producer.send(record)
    }
    replayedCount += 1
  }
}
