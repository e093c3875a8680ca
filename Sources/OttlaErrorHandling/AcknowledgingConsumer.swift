public import OttlaClient

/// Reads records that are acknowledged one by one, in whatever order they are done (compare KIP-932's share groups; here a
/// partition belongs to one member).
///
/// Records come in the order of their offsets in each partition; one that is to be tried again comes out of it. A record is committed when it, and all before it in its partition, are acknowledged. At most `windowRecordsMax` of a
/// partition are open from the first that is not acknowledged on: there the partition rests, and others go on. What is not
/// acknowledged when the program ends, or when the partition moves, comes again, and with it what was acknowledged behind it:
/// each record comes at least once.
///
/// ```swift
/// let consumer = AcknowledgingConsumer(configuration, topics: ["orders"])
/// try await consumer.run { records in
///   var batch: [ConsumerRecord] = []
///   for await record in records {
///     batch.append(record)
///     guard batch.count == 100 else { continue }
///     try await database.insert(batch)
///     for record in batch { consumer.acknowledge(record) }
///     batch = []
///   }
/// }
/// ```
public final class AcknowledgingConsumer: Sendable {
  private let processor: RecordProcessor
  private let desk: AcknowledgementDesk
  private let records: AsyncStream<ConsumerRecord>

  /// A consumer, which reads nothing until `run`.
  ///
  /// - Parameters:
  ///   - configuration: as for a ``RecordProcessor``.
  ///   - errorHandler: what becomes of records that are rejected.
  ///   - windowRecordsMax: how many records of a partition may be open.
  ///   - openRecordsMax: how many records in all may be handed out and not answered.
  ///   - producer: as for a ``RecordProcessor``.
  ///   - onEvent: told what becomes of records that are rejected; writes a line to standard error unless given.
  public init(
    _ configuration: ConsumerConfiguration, topics: [String], errorHandler: ErrorHandler = ErrorHandler(),
    windowRecordsMax: Int = 500, openRecordsMax: Int = 5000, producer: Producer? = nil,
    onEvent: (@Sendable (ProcessingEvent) -> Void)? = nil
  ) {
    var settings = ProcessingSettings()
    settings.order = .none
    settings.concurrencyMax = max(1, openRecordsMax)
    settings.windowRecordsMax = max(1, windowRecordsMax)
    // Nobody would know that a record is waited for.
    settings.revokeWait = .zero
    if let onEvent { settings.onEvent = onEvent }
    let (records, source) = AsyncStream.makeStream(of: ConsumerRecord.self)
    let desk = AcknowledgementDesk { source.yield($0) }
    self.records = records
    self.desk = desk
    processor = RecordProcessor(
      configuration, topics: topics, errorHandler: errorHandler, settings: settings, producer: producer,
      willHandle: { desk.open($0) }, handle: { try await desk.process($0) })
  }

  /// Reads, and has `body` work on the records, until `body` returns or reading cannot go on; then leaves the group with what is
  /// acknowledged committed. Once in a consumer's life.
  ///
  /// ```swift
  /// try await consumer.run { records in
  ///   for await record in records {
  ///     try await handle(record)
  ///     consumer.acknowledge(record)
  ///   }
  /// }
  /// ```
  ///
  /// - Parameter body: gets the records; they end when reading does.
  /// - Throws: what `body` throws, or what ``RecordProcessor/run()`` does.
  public func run(_ body: @escaping @Sendable (AsyncStream<ConsumerRecord>) async throws -> Void) async throws {
    let records = records
    let processor = processor
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body(records) }
      group.addTask { try await processor.run() }
      // Whichever ends first ends the other: what is open stays open.
      defer { group.cancelAll() }
      try await group.next()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// A record is done. Where its partition has gone in the meantime, that is in vain: it comes again where the partition is now.
  ///
  /// ```swift
  /// consumer.acknowledge(record)
  /// ```
  ///
  /// - Returns: whether the record was open.
  @discardableResult
  public func acknowledge(_ record: ConsumerRecord) -> Bool { desk.answer(record, .success(())) }

  /// Work on a record has failed: the error handler has its say. Where it is to be tried again, the record comes again in `records`.
  ///
  /// ```swift
  /// do { try await handle(record) } catch { consumer.reject(record, error) }
  /// ```
  ///
  /// - Returns: whether the record was open.
  @discardableResult
  public func reject(_ record: ConsumerRecord, _ error: any Error) -> Bool { desk.answer(record, .failure(error)) }
}
