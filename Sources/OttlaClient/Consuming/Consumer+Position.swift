extension Consumer {
  /// Goes on reading `partition` at `position`. Records taken and not handed over yet are dropped, and come again.
  ///
  /// ```swift
  /// try await consumer.seek(record.topicPartition, to: .offset(record.offset))   // once more
  /// ```
  ///
  /// In `onRebalance` it says where a partition begins that is being assigned.
  ///
  /// - Throws: where the partition is not read at present, `.timedOut` after 10 s.
  public func seek(_ partition: TopicPartition, to position: StartPosition) async throws(ClientError) {
    try await core.seek(partition, position.libraryOffset)
  }

  /// Lets `partitions` rest: none of their records come until `resume`. The member keeps them.
  ///
  /// ```swift
  /// try consumer.pause([TopicPartition("orders", 0)])
  /// ```
  ///
  /// - Throws: where a partition is not read at present.
  public func pause(_ partitions: [TopicPartition]) throws(ClientError) { try core.pause(partitions) }

  /// Goes on reading `partitions` where they rested.
  ///
  /// ```swift
  /// try consumer.resume(consumer.paused)
  /// ```
  ///
  /// - Throws: where a partition is not read at present.
  public func resume(_ partitions: [TopicPartition]) throws(ClientError) { try core.resume(partitions) }

  /// The partitions that rest, in order.
  ///
  /// ```swift
  /// for partition in consumer.paused { print("\(partition) rests") }
  /// ```
  public var paused: [TopicPartition] { core.reader.withBook(\.paused) }

  /// Behind the last record of `partition` that was handed over; nil before the first one.
  ///
  /// ```swift
  /// for partition in consumer.assignment {
  ///   let end = try await consumer.watermarkOffsets(of: partition).upperBound
  ///   if let position = consumer.position(of: partition) { print("\(partition): \(end - position) behind") }
  /// }
  /// ```
  public func position(of partition: TopicPartition) -> Int64? {
    core.reader.withBook { book in book.positions.first { $0.partition == partition }?.offset }
  }

  /// Whether all that was in `partition` when its end was last met has been handed over, and the loop has asked for more since.
  ///
  /// False from the assignment of a partition, or a `seek`, until its end is met for the first time. So it says when a view that is built
  /// from a topic is complete; records that came since the last look at the broker are not counted.
  ///
  /// ```swift
  /// let partitions = consumer.assignment
  /// let isComplete = !partitions.isEmpty && partitions.allSatisfy { consumer.hasReachedEnd(of: $0) }
  /// ```
  public func hasReachedEnd(of partition: TopicPartition) -> Bool {
    core.reader.withBook { book in book.entries.first { $0.partition == partition }?.hasReachedEnd ?? false }
  }

  /// From the oldest record of `partition` to behind the newest that may be read (the high watermark), as the broker
  /// says now.
  ///
  /// ```swift
  /// let count = try await consumer.watermarkOffsets(of: TopicPartition("orders", 0)).count
  /// ```
  ///
  /// - Throws: `.unknownPartition`, `.unknownTopic`, `.timedOut` after 10 s.
  public func watermarkOffsets(of partition: TopicPartition) async throws(ClientError) -> Range<Int64> {
    try await core.watermarks(partition)
  }

  /// Of each partition the offset of the first record of that time or later, in milliseconds since 1970. Partitions
  /// without such a record are left out (Kafka's `offsetsForTimes`, KIP-79).
  ///
  /// ```swift
  /// let partition = TopicPartition("orders", 0)
  /// if let offset = try await consumer.offsetsForTimes([partition: 1_764_374_400_000])[partition] {
  ///   try await consumer.seek(partition, to: .offset(offset))
  /// }
  /// ```
  ///
  /// - Throws: `.timedOut` after 10 s, what a broker refuses.
  public func offsetsForTimes(
    _ times: [TopicPartition: Int64]
  ) async throws(ClientError) -> [TopicPartition: Int64] {
    try await core.offsets(times.sorted { $0.key < $1.key }.map { ($0.key, max(0, $0.value)) })
  }
}
