internal import CLibrdkafka

/// What the public consumer asks of librdkafka. Everything that may wait for a broker runs on the thread for blocking calls.
extension ConsumerCore {
  /// How long a lookup may take, in milliseconds.
  private static let lookupTimeoutMs: Int32 = 10_000

  /// How long to wait for the leaders of partitions, in milliseconds.
  private static let leadersTimeoutMs: Int32 = 250

  private func call<Value: Sendable>(
    _ work: @escaping @Sendable (OpaquePointer) throws(ClientError) -> Value
  ) async throws(ClientError) -> Value {
    let handle = handle
    return try await calls.run {
      do throws(ClientError) { return .success(try handle.use(work)) } catch { return .failure(error) }
    }
  }

  private static func check(_ code: rd_kafka_resp_err_t, _ operation: String) throws(ClientError) {
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ClientError(code, operation) }
  }

  func subscribe(_ topics: [String]) async throws(ClientError) {
    try await call { (client) throws(ClientError) in
      let list = PartitionList(topics.map { TopicPartition($0, -1) })
      try Self.check(rd_kafka_subscribe(client, list.pointer), "subscribing to \(topics.joined(separator: ", "))")
    }
  }

  func unsubscribe() async throws(ClientError) {
    let reader = reader
    let isMember = isMember
    try await call { (client) throws(ClientError) in
      // A member is told of what it gives up by the group; who assigned by hand tells itself.
      try Self.check(rd_kafka_unsubscribe(client), "unsubscribing")
      if !isMember {
        reader.revoke(reader.withBook(\.assigned))
        try Self.check(rd_kafka_assign(client, nil), "unsubscribing")
      }
    }
  }

  func assign(_ offsets: [(partition: TopicPartition, offset: Int64)]) async throws(ClientError) {
    let reader = reader
    try await call { (client) throws(ClientError) in
      let partitions = offsets.map(\.partition)
      let topics = Self.learnLeaders(of: partitions, client)
      defer { for topic in topics { rd_kafka_topic_destroy(topic) } }
      reader.hold()
      defer { reader.release() }
      reader.storeProcessed(client)
      reader.revoke(reader.withBook(\.assigned))
      try Self.stopReading(client)
      reader.assign(partitions)
      reader.forward(partitions, of: client)
      let list = PartitionList(offsets)
      try Self.check(rd_kafka_assign(client, list.pointer), "assigning partitions")
    }
  }

  /// Takes away what is assigned, and returns when its records go nowhere any more.
  ///
  /// librdkafka's thread forgets where a partition's records were to go when it carries out the stop, behind the answer to the call. Interleaving
  /// that must not be: a partition is given again, its records are sent to the reader, and then the old stop is carried out: they would
  /// reach nobody. The thread takes calls one after the other, so once it has answered a second one the stop has been.
  private static func stopReading(_ client: OpaquePointer) throws(ClientError) {
    for _ in 0..<2 { try check(rd_kafka_assign(client, nil), "assigning partitions") }
  }

  /// Has librdkafka learn who leads `partitions`: where it is given one whose leader it does not know, it begins with the next tick of a
  /// clock of half a second. Where the leaders do not answer in time, so be it.
  ///
  /// It has told a leader's connection of its partitions once an answer for them has come that way.
  ///
  /// - Returns: the topics, which librdkafka remembers until they are destroyed.
  private static func learnLeaders(of partitions: [TopicPartition], _ client: OpaquePointer) -> [OpaquePointer] {
    let topics = Set(partitions.map(\.topic)).compactMap { rd_kafka_topic_new(client, $0, nil) }
    let list = PartitionList(partitions.map { ($0, Int64(RD_KAFKA_OFFSET_END)) })
    rd_kafka_offsets_for_times(client, list.pointer, leadersTimeoutMs)
    return topics
  }

  func pause(_ partitions: [TopicPartition]) throws(ClientError) {
    try handle.use { (client) throws(ClientError) in
      reader.pause(partitions)
      let list = PartitionList(partitions)
      try Self.check(rd_kafka_pause_partitions(client, list.pointer), "pausing")
      if let error = list.firstError("pausing") { throw error }
    }
  }

  func resume(_ partitions: [TopicPartition]) throws(ClientError) {
    try handle.use { (client) throws(ClientError) in
      let list = PartitionList(partitions)
      try Self.check(rd_kafka_resume_partitions(client, list.pointer), "resuming")
      reader.resume(partitions)
      if let error = list.firstError("resuming") { throw error }
    }
  }

  func seek(_ partition: TopicPartition, _ offset: Int64) async throws(ClientError) {
    if rebalancer.begin(partition, at: offset) { return }
    let reader = reader
    try await call { (client) throws(ClientError) in
      // Nothing is read meanwhile: what was taken before is given back, what is taken afterwards is from the new place.
      reader.hold()
      defer { reader.release() }
      reader.forget(partition)
      let list = PartitionList([(partition, offset)])
      if let error = takeError(
        rd_kafka_seek_partitions(client, list.pointer, Self.lookupTimeoutMs), "seeking in \(partition)")
      {
        throw error
      }
      if let error = list.firstError("seeking in") { throw error }
    }
  }

  func commit(_ offsets: [(partition: TopicPartition, offset: Int64)]) async throws(ClientError) {
    guard isMember else { throw .illegalState(reason: "committing needs a group: set groupId") }
    guard !offsets.isEmpty else { return }
    try await call { (client) throws(ClientError) in
      let list = PartitionList(offsets)
      try Self.check(rd_kafka_commit(client, list.pointer, 0), "committing offsets")
      if let error = list.firstError("committing") { throw error }
    }
  }

  /// Asks each leader for something small: its connection wakes up, and finds that there is room to fetch into.
  func nudge() {
    let handle = handle
    let partitions = reader.withBook(\.assigned)
    calls.submit {
      try? handle.use { client in
        let list = PartitionList(partitions.map { ($0, Int64(RD_KAFKA_OFFSET_END)) })
        rd_kafka_offsets_for_times(client, list.pointer, 1000)
      }
    }
  }

  func committed(_ partitions: [TopicPartition]) async throws(ClientError) -> [TopicPartition: Int64] {
    guard isMember else { throw .illegalState(reason: "committed offsets belong to a group: set groupId") }
    return try await call { (client) throws(ClientError) in
      let list = PartitionList(partitions)
      try Self.check(rd_kafka_committed(client, list.pointer, Self.lookupTimeoutMs), "looking up committed offsets")
      if let error = list.firstError("looking up committed offsets of") { throw error }
      return Self.offsets(list.entries)
    }
  }

  func watermarks(_ partition: TopicPartition) async throws(ClientError) -> Range<Int64> {
    let servers = events.health.bootstrapServers
    return try await call { (client) throws(ClientError) in
      var low: Int64 = 0
      var high: Int64 = 0
      let code = rd_kafka_query_watermark_offsets(
        client, partition.topic, partition.partition, &low, &high, Self.lookupTimeoutMs)
      guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw ClientError(
          code, "looking up \(partition)", topic: partition.topic, partition: partition.partition,
          bootstrapServers: servers)
      }
      return low..<max(low, high)
    }
  }

  func offsets(_ times: [(partition: TopicPartition, offset: Int64)]) async throws(ClientError) -> [TopicPartition:
    Int64]
  {
    try await call { (client) throws(ClientError) in
      let list = PartitionList(times)
      try Self.check(rd_kafka_offsets_for_times(client, list.pointer, Self.lookupTimeoutMs), "looking up times")
      if let error = list.firstError("looking up times in") { throw error }
      return Self.offsets(list.entries)
    }
  }

  /// The offsets that are ones: below zero stands for none.
  private static func offsets(_ entries: [PartitionList.Entry]) -> [TopicPartition: Int64] {
    var result: [TopicPartition: Int64] = [:]
    for entry in entries where entry.offset >= 0 { result[entry.partition] = entry.offset }
    return result
  }
}
