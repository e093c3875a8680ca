public import OttlaClient

/// Sends records, and puts those that cannot be sent into a store (a producer's error handler).
///
/// Every record carries its id in the header ``UndeliveredRecord/idHeader``: a record that was given up may have arrived all the
/// same, and comes twice then. Order does not hold between a record that was kept and those sent after it; where that
/// matters, put all records into the outbox.
///
/// ```swift
/// let producer = StoringProducer(kafka, fallingBackTo: store)
/// switch try await producer.send(UndeliveredRecord(id: "order-17-paid", topic: "orders", value: Array("paid".utf8))) {
/// case .delivered(let report): print("partition \(report.partition)")
/// case .kept(let error): print("is sent later: \(error)")
/// }
/// ```
public struct StoringProducer<Store: UndeliveredStore>: Sendable {
  /// What became of a record.
  ///
  /// ```swift
  /// let outcome = try await storing.send(undelivered)
  /// switch outcome {
  /// case .delivered: answer(201, "it is in the topic")
  /// case .kept: answer(202, "it is safe, and will be in the topic")
  /// }
  /// ```
  public enum Outcome: Sendable {
    /// The broker has acknowledged it.
    case delivered(DeliveryReport)
    /// It could not be sent, for this reason, and is in the store.
    case kept(ProducerError)
  }

  private let send: @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  private let store: Store

  /// Sends by `producer`. How long a record is tried before it goes to the store is the producer's `deliveryTimeoutMs`.
  public init(_ producer: Producer, fallingBackTo store: Store) {
    self.init(fallingBackTo: store) { (record) throws(ProducerError) in try await producer.send(record) }
  }

  init(
    fallingBackTo store: Store,
    send: @escaping @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  ) {
    self.store = store
    self.send = send
  }

  /// Sends a record and waits until the broker has acknowledged it, or until it is in the store.
  ///
  /// ```swift
  /// let paid = UndeliveredRecord(id: "order-17-paid", topic: "orders", value: Array("paid".utf8))
  /// if case .kept(let error) = try await storing.send(paid) { print("is sent later: \(error)") }
  /// ```
  ///
  /// - Throws: the producer's error for what can never be sent (too large, say), and where the task is cancelled before the record was taken;
  ///   ``UndeliveredRecordLost`` where the store fails too.
  public func send(_ record: UndeliveredRecord) async throws -> Outcome {
    let error: ProducerError
    do throws(ProducerError) {
      let headers = record.headers + [Header(UndeliveredRecord.idHeader, record.id)]
      let copy = ProducerRecord(topic: record.topic, key: record.key, value: record.value, headers: headers)
      return .delivered(try await send(copy))
    } catch let failure {
      error = failure
    }
    guard Self.isWorthKeeping(error) else { throw error }
    do {
      try await store.keep(record)
    } catch let storeError {
      throw UndeliveredRecordLost(record: record, sending: error, keeping: storeError)
    }
    return .kept(error)
  }

  /// Whether sending the record later may succeed, by this producer or another.
  static func isWorthKeeping(_ error: ProducerError) -> Bool {
    switch error {
    case .queueFull, .closed, .notFlushed, .cancelled(mayArrive: true): true
    case .cancelled(mayArrive: false): false
    case .rejected(.messageTooLarge), .notDelivered(.messageTooLarge, _), .rejected(.invalidValue): false
    case .rejected, .notDelivered: true
    }
  }
}

/// A record could neither be sent nor kept: whoever sends it must not take it for done.
///
/// ```swift
/// do {
///   _ = try await storing.send(undelivered)
/// } catch let lost as UndeliveredRecordLost {
///   print("no broker: \(lost.sending); no database: \(lost.keeping)")
///   // Nobody has it. With the same id it may be sent again without harm.
///   answer(503, "\(lost.record.id) was not taken, try again")
/// }
/// ```
public struct UndeliveredRecordLost: Error, CustomStringConvertible {
  /// The record.
  public let record: UndeliveredRecord
  /// Why it was not sent.
  public let sending: ProducerError
  /// Why it was not kept.
  public let keeping: any Error

  /// One sentence with both reasons.
  public var description: String {
    "record \(record.id) for \(record.topic) was neither sent (\(sending)) nor kept (\(keeping))"
  }
}
