/// Reads records (Kafka's `KafkaConsumer`), as a member of a group or on its own.
///
/// Records are read by ``records``, one at a time and only when asked for: what is not asked for waits, within
/// `bufferedBytesMax`. A record counts as processed when the loop asks for the next one; only then may its offset be committed. So a
/// record may come twice after a crash, and none is passed over.
///
/// The group is served by a thread of the library's own: a record may take as long as it wants, the member stays in its group.
///
/// ```swift
/// var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "billing")
/// configuration.autoOffsetReset = .earliest
/// let consumer = try Consumer(configuration)
/// try await consumer.subscribe(to: ["orders"])
/// for try await record in consumer.records {
///   print(record.offset, record.valueText ?? "null")
/// }
/// try await consumer.close()
/// ```
public final class Consumer: Sendable {
  let core: ConsumerCore
  private let isOwner: Bool

  /// Starts a consumer, which reads nothing until `subscribe` or `assign`.
  ///
  /// - Throws: `.unknownProperty`, `.invalidValue`.
  public init(_ configuration: ConsumerConfiguration) throws(ClientError) {
    core = try ConsumerCore(configuration)
    isOwner = true
  }

  /// Another handle of the same consumer, whose end is not the consumer's.
  init(sharing core: ConsumerCore) {
    self.core = core
    isOwner = false
  }

  deinit {
    // Nobody waits; the group is left in the background.
    if isOwner { core.requestClose(by: .now + .seconds(10)) }
  }

  /// Joins the group and shares the partitions of `topics` with its other members.
  ///
  /// ```swift
  /// try await consumer.subscribe(to: ["orders", "^payments-.*"])
  /// ```
  ///
  /// - Parameter topics: names; one that begins with `^` is a regular expression, and topics that match later are found too. They take
  ///   the place of those subscribed to before.
  /// - Throws: `.illegalState` for a consumer without `groupId`, `.closed`.
  public func subscribe(to topics: [String]) async throws(ClientError) {
    guard core.isMember else {
      throw .illegalState(reason: "subscribing needs a group: set groupId, or assign partitions")
    }
    try await core.subscribe(topics)
  }

  /// Gives up the subscription, or the assignment.
  ///
  /// ```swift
  /// try await consumer.unsubscribe()  // the group's other members take the partitions over
  /// try await database.rebuild()
  /// try await consumer.subscribe(to: ["orders"])
  /// ```
  ///
  /// - Throws: `.closed`, or what librdkafka refuses.
  public func unsubscribe() async throws(ClientError) { try await core.unsubscribe() }

  /// Reads `partitions` without the help of a group, each from its position. They take the place of those before.
  ///
  /// ```swift
  /// try await consumer.assign([TopicPartition("orders", 0): .earliest, TopicPartition("orders", 1): .tail(100)])
  /// ```
  ///
  /// - Throws: `.closed`, or what librdkafka refuses.
  public func assign(_ partitions: [TopicPartition: StartPosition]) async throws(ClientError) {
    try await core.assign(partitions.sorted { $0.key < $1.key }.map { ($0.key, $0.value.libraryOffset) })
  }

  /// The partitions that are read at present, in order.
  ///
  /// ```swift
  /// if consumer.assignment.isEmpty { print("the group has given this member nothing to read yet") }
  /// ```
  public var assignment: [TopicPartition] { core.reader.withBook(\.assigned) }

  /// The records, in order within each partition, for one loop at a time.
  ///
  /// The loop ends when the consumer is closed or the task cancelled, which it sees when it waits, and ten times a second. It throws where reading cannot go on; a loop begun
  /// anew goes on behind the last record handed over. A record whose loop was left by `break` or an error is not committed unless `store`
  /// or `commit` says so.
  ///
  /// ```swift
  /// for try await record in consumer.records {
  ///   try await handle(record)
  /// }
  /// ```
  public var records: Records { Records(reader: core.reader) }

  /// The same in batches: what is there, one record at least and `max` at most.
  ///
  /// ```swift
  /// for try await batch in consumer.batches(of: 500) {
  ///   try await database.insert(batch)
  ///   try await consumer.commit()
  /// }
  /// ```
  public func batches(of max: Int = 500) -> Batches { Batches(reader: core.reader, limit: Swift.max(1, max)) }

  /// Ends the loops that read, commits what is processed (where commits are automatic), and leaves the group. May be
  /// called again.
  ///
  /// ```swift
  /// try await consumer.close(within: .seconds(10))
  /// ```
  ///
  /// - Throws: `.timedOut` when `limit` was too short; the group notices after `sessionTimeoutMs`.
  public func close(within limit: Duration = .seconds(30)) async throws(ClientError) {
    try await core.close(by: .now + limit).get()
  }
}

/// Runs `body` with a consumer that is closed on every way out.
///
/// ```swift
/// try await withConsumer(configuration, subscribedTo: ["orders"]) { consumer in
///   for try await record in consumer.records { try await handle(record) }
/// }
/// ```
///
/// - Throws: what `body` throws; else what `close` throws; `ClientError` for a configuration that is wrong.
public func withConsumer<Value>(
  _ configuration: ConsumerConfiguration, subscribedTo topics: [String] = [],
  closingWithin limit: Duration = .seconds(30),
  _ body: (Consumer) async throws -> sending Value
) async throws -> sending Value {
  let consumer = try Consumer(configuration)
  let value: Value
  do {
    if !topics.isEmpty { try await consumer.subscribe(to: topics) }
    value = try await body(consumer)
  } catch {
    // The first failure is the one to tell.
    try? await consumer.close(within: limit)
    throw error
  }
  try await consumer.close(within: limit)
  return value
}
