/// Sends records (Kafka's `KafkaProducer`): batched, retried and acknowledged in the background. One producer serves all
/// tasks of a program.
///
/// Close it, or use ``withProducer(_:flushingWithin:_:)``, which does: what was not acknowledged when the program ends is
/// lost.
///
/// ```swift
/// let producer = try Producer(ProducerConfiguration(bootstrapServers: "localhost:9092"))
/// let report = try await producer.send(ProducerRecord(topic: "orders", key: "customer-17", value: "paid"))
/// print("partition \(report.partition), offset \(report.offset ?? -1)")
/// try await producer.close(within: .seconds(10))
/// ```
public final class Producer: Sendable {
  private let core: ProducerCore
  private let calls = BlockingCalls()

  /// Starts a producer. It looks for brokers in the background: that none is there shows with the first record.
  ///
  /// - Throws: `.unknownProperty`, `.invalidValue`.
  public init(_ configuration: ProducerConfiguration) throws(ClientError) { core = try ProducerCore(configuration) }

  deinit {
    // Nobody waits; what was taken goes out in the background for as long as the program lives, up to its own time limit.
    core.requestClose(by: .now + .seconds(300))
  }

  /// Sends a record and waits until the broker has acknowledged it.
  ///
  /// Cancelling the task ends the wait, not the record. To send many, use ``enqueue(_:onDelivery:)``, or send from several tasks:
  /// one at a time is one round trip each.
  ///
  /// ```swift
  /// let report = try await producer.send(ProducerRecord(topic: "orders", key: "17", value: "paid"))
  /// print(report.topicPartition, report.offset ?? -1)
  /// ```
  ///
  /// - Returns: the partition and the offset.
  /// - Throws: `.notDelivered` when it was given up, `.rejected` when it can never be sent, `.closed`, `.cancelled`.
  nonisolated(nonsending) public func send(_ record: ProducerRecord) async throws(ProducerError) -> DeliveryReport {
    let pending = PendingDelivery()
    try await enqueue(record) { pending.resolve($0) }
    return try await pending.outcome().get()
  }

  /// Hands a record over and returns when the queue has room for it, long before it is acknowledged.
  ///
  /// Records enqueued one after the other keep their order in each partition.
  ///
  /// ```swift
  /// try await producer.enqueue(ProducerRecord(topic: "orders", value: "paid")) { outcome in
  ///   if case .failure(let error) = outcome { print("lost: \(error)") }
  /// }
  /// ```
  ///
  /// - Parameter onDelivery: called once with what became of it, on the producer's thread: do not block there. Not called when this throws.
  /// - Throws: `.rejected`, `.closed`, `.cancelled` (the record was not taken).
  nonisolated(nonsending) public func enqueue(
    _ record: ProducerRecord, onDelivery: (@Sendable (Result<DeliveryReport, ProducerError>) -> Void)? = nil
  ) async throws(ProducerError) {
    var listener: Delivery.Listener?
    if let onDelivery { listener = Delivery.Listener(tell: onDelivery) }
    while true {
      let seen = core.room.rings
      do throws(ProducerError) {
        return try core.produce(record, listener)
      } catch {
        guard case .queueFull = error else { throw error }
      }
      if Task.isCancelled { throw .cancelled(mayArrive: false) }
      await core.room.wait(since: seen)
    }
  }

  /// Hands a record over without waiting.
  ///
  /// ```swift
  /// do {
  ///   try producer.tryEnqueue(ProducerRecord(topic: "metrics", value: "42"))
  /// } catch ProducerError.queueFull {
  ///   print("dropped: the brokers do not keep up")
  /// }
  /// ```
  ///
  /// - Parameter onDelivery: as in ``enqueue(_:onDelivery:)``.
  /// - Throws: `.queueFull` where there is no room, `.rejected`, `.closed`.
  public func tryEnqueue(
    _ record: ProducerRecord, onDelivery: (@Sendable (Result<DeliveryReport, ProducerError>) -> Void)? = nil
  ) throws(ProducerError) {
    var listener: Delivery.Listener?
    if let onDelivery { listener = Delivery.Listener(tell: onDelivery) }
    try core.produce(record, listener)
  }

  /// Records taken and neither acknowledged nor given up.
  ///
  /// ```swift
  /// while producer.waitingRecords > 0 {
  ///   print("\(producer.waitingRecords) records are on their way")
  ///   try await Task.sleep(for: .seconds(1))
  /// }
  /// ```
  public var waitingRecords: Int { core.waiting }

  /// Waits until every record taken so far is acknowledged or given up, without waiting for `lingerMs`.
  ///
  /// ```swift
  /// try await producer.flush(within: .seconds(10))
  /// ```
  ///
  /// - Throws: `.notFlushed` when `limit` was too short; the records stay on their way.
  public func flush(within limit: Duration) async throws(ProducerError) {
    let core = core
    let remaining = (try? await calls.run { .success(core.flush(limit)) }) ?? nil
    guard let remaining else { throw .closed }
    if remaining > 0 { throw .notFlushed(remaining: remaining) }
  }

  /// Takes no more records, lets those taken go out, and ends. May be called again.
  ///
  /// ```swift
  /// try await producer.close(within: .seconds(10))
  /// ```
  ///
  /// - Throws: `.notFlushed` when `limit` was too short: so many records were given up, and their callbacks have been told.
  public func close(within limit: Duration = .seconds(30)) async throws(ProducerError) {
    let remaining = await core.close(by: .now + limit)
    if remaining > 0 { throw .notFlushed(remaining: remaining) }
  }
}

/// Runs `body` with a producer that is flushed and closed on every way out.
///
/// ```swift
/// try await withProducer(ProducerConfiguration(bootstrapServers: "localhost:9092")) { producer in
///   for number in 1...1000 {
///     try await producer.enqueue(ProducerRecord(topic: "numbers", value: "\(number)"))
///   }
/// }
/// ```
///
/// - Parameter limit: how long what was taken may need at the end.
/// - Throws: what `body` throws; else `ProducerError.notFlushed` when the time was too short; `ClientError` for a configuration that is
///   wrong.
public func withProducer<Value>(
  _ configuration: ProducerConfiguration, flushingWithin limit: Duration = .seconds(30),
  _ body: (Producer) async throws -> sending Value
) async throws -> sending Value {
  let producer = try Producer(configuration)
  let value: Value
  do {
    value = try await body(producer)
  } catch {
    // The first failure is the one to tell.
    try? await producer.close(within: limit)
    throw error
  }
  try await producer.close(within: limit)
  return value
}
