extension Consumer {
  /// Commits the group's offset behind `record`, and waits for the answer: after a restart reading goes on with the next one
  /// (Kafka's `commitSync`). All records before it in its partition count as processed too.
  ///
  /// ```swift
  /// for try await record in consumer.records {
  ///   try await handle(record)
  ///   try await consumer.commit(record)
  /// }
  /// ```
  ///
  /// - Throws: `.partitionLost` when the partition has gone to another member since, `.illegalState` without a group, what the
  ///   broker refuses.
  public func commit(_ record: ConsumerRecord) async throws(ClientError) {
    guard core.reader.withBook({ $0.holds(record.mark) }) else { throw .partitionLost(record.topicPartition) }
    try await core.commit([(record.topicPartition, record.offset &+ 1)])
  }

  /// Commits behind all records handed over so far, the one the loop is at included: call it when that one is processed.
  ///
  /// ```swift
  /// for try await batch in consumer.batches(of: 500) {
  ///   try await database.insert(batch)
  ///   try await consumer.commit()
  /// }
  /// ```
  ///
  /// - Throws: as `commit(record)`.
  public func commit() async throws(ClientError) { try await core.commit(core.reader.withBook(\.positions)) }

  /// Commits `offsets`: of each partition, that of the next record to read.
  ///
  /// ```swift
  /// // The record and what stands before it is done; the rest of the batch is not.
  /// try await consumer.commit([record.topicPartition: record.offset + 1])
  /// ```
  ///
  /// - Throws: as `commit(record)`.
  public func commit(_ offsets: [TopicPartition: Int64]) async throws(ClientError) {
    try await core.commit(offsets.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  /// Says that `record`, and all before it in its partition, is processed: the next automatic commit says so to the group.
  ///
  /// For loops that are left by `break`, and where `enableAutoOffsetStore` is off.
  ///
  /// ```swift
  /// for try await record in consumer.records {
  ///   try await handle(record)
  ///   try consumer.store(record)
  ///   if isEnough { break }
  /// }
  /// ```
  ///
  /// - Throws: `.partitionLost` when the partition has gone to another member since.
  public func store(_ record: ConsumerRecord) throws(ClientError) {
    let isHeld = core.reader.withBook { book in
      book.finish(record.mark)
      return book.holds(record.mark)
    }
    guard isHeld else { throw .partitionLost(record.topicPartition) }
  }

  /// What the group has committed, of each of `partitions` that it has committed anything of: the offset of the next record.
  ///
  /// ```swift
  /// let next = try await consumer.committed([TopicPartition("orders", 0)])
  /// ```
  ///
  /// - Throws: `.illegalState` without a group, `.timedOut` after 10 s.
  public func committed(_ partitions: [TopicPartition]) async throws(ClientError) -> [TopicPartition: Int64] {
    try await core.committed(partitions)
  }
}
