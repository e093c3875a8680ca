public import OttlaClient
public import OttlaOutbox

extension OutboxPublisher {
  /// Publishes by a producer: a message is sent when the broker has acknowledged its record.
  ///
  /// ```swift
  /// let publisher = OutboxPublisher(store, producer: producer) { event in
  ///   if case .storeFailed(let reason) = event { print("outbox: \(reason)") }
  /// } onDelivery: { message, outcome in
  ///   if case .success(let report) = outcome { print("\(message.id) is in \(report.topicPartition)") }
  /// }
  /// ```
  ///
  /// A record that can never be sent (too large, say) is refused: it is set aside, and those behind it go on. Everything else is tried
  /// again. When the publisher's task is cancelled, records that are on their way are waited for, for `endingWait` at
  /// most: those that were not acknowledged by then are sent again by the next publisher, and may come twice.
  ///
  /// - Parameters:
  ///   - producer: with acks=all and idempotence, which are its defaults. It stays the caller's, who closes it after `run` has returned.
  ///   - onDelivery: told what became of each record, before it is written down; it must not take long.
  public init(
    _ store: Store, settings: OutboxSettings = OutboxSettings(), producer: Producer,
    endingWait: Duration = .seconds(5),
    onEvent: @escaping @Sendable (OutboxEvent) -> Void = { _ in },
    onDelivery: @escaping @Sendable (OutboxMessage, Result<DeliveryReport, ProducerError>) -> Void = { _, _ in }
  ) {
    self.init(
      store, settings: settings, endingWait: endingWait, onEvent: onEvent, onDelivery: onDelivery
    ) { (record) throws(ProducerError) in try await producer.send(record) }
  }

  init(
    _ store: Store, settings: OutboxSettings, endingWait: Duration,
    onEvent: @escaping @Sendable (OutboxEvent) -> Void,
    onDelivery: @escaping @Sendable (OutboxMessage, Result<DeliveryReport, ProducerError>) -> Void,
    send: @escaping @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  ) {
    self.init(store, settings: settings, onEvent: onEvent) { message in
      let outcome = await Self.outcome(of: ProducerRecord(message), endingWait, send)
      onDelivery(message, outcome)
      guard case .failure(let error) = outcome else { return }
      throw error.isForever ? OutboxRefusal("\(error)") : error
    }
  }

  /// What became of a record. It is not given up at once when this task is cancelled.
  private static func outcome(
    of record: ProducerRecord, _ endingWait: Duration,
    _ send: @escaping @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  ) async -> Result<DeliveryReport, ProducerError> {
    let sending = Task { () -> Result<DeliveryReport, ProducerError> in
      do throws(ProducerError) { return .success(try await send(record)) } catch { return .failure(error) }
    }
    return await withTaskCancellationHandler {
      await sending.value
    } onCancel: {
      Task {
        try? await Task.sleep(for: endingWait)
        sending.cancel()
      }
    }
  }
}

extension ProducerError {
  /// Whether the same record fails each time, at whichever broker: the record itself is wrong.
  var isForever: Bool {
    switch self {
    case .rejected(.messageTooLarge), .notDelivered(.messageTooLarge, _), .rejected(.invalidValue): true
    case .queueFull, .closed, .cancelled, .rejected, .notDelivered, .notFlushed: false
    }
  }
}
