internal import OttlaClient
internal import Synchronization

/// Where records wait for their acknowledgement, and acknowledgements find their records.
final class AcknowledgementDesk: Sendable {
  private struct Place: Hashable {
    let partition: TopicPartition
    let offset: Int64
  }
  private typealias Answer = CheckedContinuation<Void, any Error>
  private struct Open {
    var answers: [UInt64: Answer] = [:]
    /// A place has two where its partition went and came back: an answer is for both.
    var tickets: [Place: [UInt64]] = [:]
    var lastTicket: UInt64 = 0
    /// Cancelled before they began to wait.
    var cancelled: Set<UInt64> = []
  }
  private let open = Mutex(Open())
  private let handOut: @Sendable (ConsumerRecord) -> Void

  init(handOut: @escaping @Sendable (ConsumerRecord) -> Void) { self.handOut = handOut }

  /// Hands a record out, and returns when it is acknowledged.
  ///
  /// - Throws: what it is rejected with; `CancellationError` with the task.
  func process(_ record: ConsumerRecord) async throws {
    let place = Place(partition: record.topicPartition, offset: record.offset)
    let ticket = open.withLock { open in
      open.lastTicket &+= 1
      return open.lastTicket
    }
    // Cancelled after it was answered, it has left a note that nobody reads.
    defer { open.withLock { _ = $0.cancelled.remove(ticket) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (answer: Answer) in
        let isCancelled = open.withLock { open in
          if open.cancelled.remove(ticket) != nil { return true }
          open.answers[ticket] = answer
          open.tickets[place, default: []].append(ticket)
          return false
        }
        if isCancelled { answer.resume(throwing: CancellationError()) } else { handOut(record) }
      }
    } onCancel: {
      let answer = open.withLock { open in
        guard let answer = open.answers.removeValue(forKey: ticket) else {
          open.cancelled.insert(ticket)
          return nil as Answer?
        }
        open.tickets[place]?.removeAll { $0 == ticket }
        if open.tickets[place]?.isEmpty == true { open.tickets[place] = nil }
        return answer
      }
      answer?.resume(throwing: CancellationError())
    }
  }

  /// Answers whoever waits at the record's place; false where nobody does.
  func answer(_ record: ConsumerRecord, _ result: Result<Void, any Error>) -> Bool {
    let answers = open.withLock { open in
      let tickets = open.tickets.removeValue(forKey: Place(partition: record.topicPartition, offset: record.offset))
      return (tickets ?? []).compactMap { open.answers.removeValue(forKey: $0) }
    }
    for answer in answers { answer.resume(with: result) }
    return !answers.isEmpty
  }
}
