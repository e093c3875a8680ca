/// Why a record was not sent, or what became of it.
///
/// ```swift
/// let record = ProducerRecord(topic: "orders", key: "customer-17", value: "paid")
/// do {
///   _ = try await producer.send(record)
/// } catch {
///   if error.isRetriable { later.append(record) } else { print("given up: \(error)") }
/// }
/// ```
///
/// A program that runs for months makes another producer where this one has ended, and says what lies behind it:
///
/// ```swift
/// let configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// var producer = try Producer(configuration)
/// do {
///   try await producer.enqueue(ProducerRecord(topic: "orders", value: "paid"))
/// } catch where error.isFatal {
///   print(error.cause?.name ?? "closed")
///   producer = try Producer(configuration)
/// }
/// ```
///
/// Where a record that comes twice does harm, what counts is whether it may have arrived:
///
/// ```swift
/// func whatNow(_ error: ProducerError) -> String {
///   switch error {
///   case .queueFull, .closed, .cancelled(mayArrive: false): "it was not taken: send it later"
///   case .cancelled(mayArrive: true): "it goes its way: look into the topic before sending it once more"
///   case .rejected(let reason): "it can never be sent so: \(reason)"
///   case .notDelivered(let reason, mayArrive: false): "it was not sent: \(reason)"
///   case .notDelivered(let reason, mayArrive: true): "look into the topic: \(reason)"
///   case .notFlushed(let remaining): "\(remaining) records had no answer in time: allow more"
///   }
/// }
/// ```
public enum ProducerError: Error, Hashable, Sendable {
  /// As many records, or bytes, wait as `queueBufferingMaxMessages` and `queueBufferingMaxKbytes` allow.
  case queueFull
  /// The producer has been closed; the record was not taken.
  case closed
  /// The task was cancelled. `mayArrive`: the record had been taken and may be delivered all the same.
  case cancelled(mayArrive: Bool)
  /// The record was not taken: it can never be sent so.
  case rejected(ClientError)
  /// The record was given up. `mayArrive`: it was on its way, and the broker may have it.
  case notDelivered(ClientError, mayArrive: Bool)
  /// The time was up, and so many records were neither acknowledged nor given up.
  case notFlushed(remaining: Int)

  /// What lies behind it; nil where it is the producer's own doing.
  public var cause: ClientError? {
    switch self {
    case .rejected(let error), .notDelivered(let error, _): error
    case .queueFull, .closed, .cancelled, .notFlushed: nil
    }
  }

  /// Whether sending the same record again may succeed, with nothing changed but time.
  public var isRetriable: Bool {
    switch self {
    case .queueFull, .notFlushed: true
    case .closed, .cancelled: false
    case .rejected(let error), .notDelivered(let error, _): error.isRetriable
    }
  }

  /// Whether this producer can do nothing more: make another.
  public var isFatal: Bool {
    switch self {
    case .closed: true
    case .queueFull, .cancelled, .notFlushed: false
    // The record's value, not the producer's.
    case .rejected(.invalidValue): false
    case .rejected(let error), .notDelivered(let error, _): error.isFatal
    }
  }
}

extension ProducerError: CustomStringConvertible {
  /// One sentence: what failed, why, and what to do where that is known.
  public var description: String {
    switch self {
    case .queueFull:
      "the producer's queue is full; wait with enqueue, or raise queueBufferingMaxMessages or queueBufferingMaxKbytes"
    case .closed: "the producer has been closed"
    case .cancelled(let mayArrive):
      mayArrive ? "the task was cancelled; the record may arrive all the same" : "the task was cancelled"
    case .rejected(let error): "the record cannot be sent: \(error)"
    case .notDelivered(let error, let mayArrive):
      mayArrive
        ? "the record was not acknowledged, and may have arrived: \(error)" : "the record was not sent: \(error)"
    case .notFlushed(let remaining): "\(remaining) records are still on their way"
    }
  }
}
