internal import OttlaClient
internal import Synchronization

/// Where records wait for their acknowledgement, and acknowledgements find their records.
///
/// Records are handed out in the order in which they came, by whoever begins their handlers; each handler then waits in a task of
/// its own, and may come to that later than the answer to its record.
final class AcknowledgementDesk: Sendable {
  private struct Place: Hashable {
    let partition: TopicPartition
    let offset: Int64

    init(_ record: ConsumerRecord) { (partition, offset) = (record.topicPartition, record.offset) }
  }
  private typealias Waiting = CheckedContinuation<Void, any Error>
  /// Can become: handedOut -> waiting -> gone, when it is answered or cancelled; handedOut -> answered -> gone.
  private enum Ticket {
    case handedOut
    case answered(Result<Void, any Error>)
    case waiting(Waiting)
  }
  private struct Open {
    var tickets: [UInt64: Ticket] = [:]
    /// Those that an answer is still for. A place has two where its partition went and came back: an answer is for both.
    var unanswered: [Place: [UInt64]] = [:]
    /// Those that no handler has come for yet, the first one first.
    var unclaimed: [Place: [UInt64]] = [:]
    var lastTicket: UInt64 = 0
  }
  private let open = Mutex(Open())
  private let handOut: @Sendable (ConsumerRecord) -> Void

  init(handOut: @escaping @Sendable (ConsumerRecord) -> Void) { self.handOut = handOut }

  /// Hands a record out; `process` is to follow.
  func open(_ record: ConsumerRecord) {
    let place = Place(record)
    open.withLock { open in
      open.lastTicket &+= 1
      open.tickets[open.lastTicket] = .handedOut
      open.unanswered[place, default: []].append(open.lastTicket)
      open.unclaimed[place, default: []].append(open.lastTicket)
    }
    handOut(record)
  }

  /// Returns when a record that was handed out is acknowledged.
  ///
  /// - Throws: what it is rejected with; `CancellationError` with the task, where there is no answer yet.
  func process(_ record: ConsumerRecord) async throws {
    let place = Place(record)
    let ticket = open.withLock { Self.takeFirst(place, &$0.unclaimed) }
    guard let ticket else { preconditionFailure("\(record.topicPartition) at \(record.offset) was not handed out") }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (waiting: Waiting) in
        let answer = open.withLock { open -> Result<Void, any Error>? in
          switch open.tickets[ticket] {
          case .handedOut:
            open.tickets[ticket] = .waiting(waiting)
            return nil
          case .answered(let result):
            open.tickets[ticket] = nil
            return result
          case nil: return .failure(CancellationError())
          case .waiting: preconditionFailure("two handlers have ticket \(ticket)")
          }
        }
        if let answer { waiting.resume(with: answer) }
      }
    } onCancel: {
      cancel(ticket, place)
    }
  }

  private func cancel(_ ticket: UInt64, _ place: Place) {
    let waiting = open.withLock { open -> Waiting? in
      guard let state = open.tickets[ticket] else { return nil }
      // Its handler finds it.
      if case .answered = state { return nil }
      open.tickets[ticket] = nil
      open.unanswered[place]?.removeAll { $0 == ticket }
      if open.unanswered[place]?.isEmpty == true { open.unanswered[place] = nil }
      if case .waiting(let waiting) = state { return waiting }
      return nil
    }
    waiting?.resume(throwing: CancellationError())
  }

  /// Answers whoever waits at the record's place, or will; false where nobody does.
  func answer(_ record: ConsumerRecord, _ result: Result<Void, any Error>) -> Bool {
    let (isOpen, waiting) = open.withLock { open -> (Bool, [Waiting]) in
      let tickets = open.unanswered.removeValue(forKey: Place(record)) ?? []
      let waiting = tickets.compactMap { ticket -> Waiting? in
        if case .waiting(let waiting)? = open.tickets[ticket] {
          open.tickets[ticket] = nil
          return waiting
        }
        open.tickets[ticket] = .answered(result)
        return nil
      }
      return (!tickets.isEmpty, waiting)
    }
    for waiting in waiting { waiting.resume(with: result) }
    return isOpen
  }

  private static func takeFirst(_ place: Place, _ tickets: inout [Place: [UInt64]]) -> UInt64? {
    guard var all = tickets.removeValue(forKey: place) else { return nil }
    let first = all.removeFirst()
    if !all.isEmpty { tickets[place] = all }
    return first
  }
}
