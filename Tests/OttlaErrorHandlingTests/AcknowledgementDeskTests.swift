import Synchronization
import Testing

@testable import OttlaClient
@testable import OttlaErrorHandling

@Suite struct AcknowledgementDeskTests {
  private struct Rejected: Error {}

  /// Runs the handlers' tasks when the test says so, until each waits: "it waits" needs no clock.
  private final class Hand: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      jobs.withLock { $0.append(job) }
    }

    func runAll() {
      while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
        job.runSynchronously(on: asUnownedTaskExecutor())
      }
    }
  }

  /// A record's handler, and what became of it; nil while it waits.
  private final class Handler: Sendable {
    private let hand: Hand
    private let result = Mutex<String?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ hand: Hand) { self.hand = hand }

    /// Its task; it begins with the next `outcome`.
    func come(for record: ConsumerRecord, at desk: AcknowledgementDesk) {
      let begun = Task(executorPreference: hand) {
        let outcome: String
        do {
          try await desk.process(record)
          outcome = "done"
        } catch {
          outcome = "\(type(of: error))"
        }
        self.result.withLock { $0 = outcome }
      }
      task.withLock { $0 = begun }
    }

    func cancel() { task.withLock { $0?.cancel() } }

    var outcome: String? {
      hand.runAll()
      return result.withLock { $0 }
    }
  }

  private let hand = Hand()
  private let desk = AcknowledgementDesk { _ in }

  private func record(_ offset: Int64, partition: Int32 = 0, topic: String = "t", held: UInt64 = 0) -> ConsumerRecord {
    ConsumerRecord(
      topicPartition: TopicPartition(topic, partition), offset: offset, timestamp: nil, key: nil, value: nil,
      headers: [], mark: RecordMark(slot: 0, epoch: held, offset: offset))
  }

  private func handler(_ record: ConsumerRecord) -> Handler {
    let handler = Handler(hand)
    handler.come(for: record, at: desk)
    return handler
  }

  @Test func recordsAreHandedOutInTheirOrder() {
    let handed = Mutex<[Int64]>([])
    let desk = AcknowledgementDesk { record in handed.withLock { $0.append(record.offset) } }
    for offset: Int64 in [3, 1, 2, 1] { desk.open(record(offset)) }
    #expect(handed.withLock { $0 } == [3, 1, 2, 1])
  }

  /// Whoever gets a record may answer before `open` has returned.
  @Test func aRecordIsOpenWhenItIsHandedOut() {
    let answers = Mutex<[Bool]>([])
    let own = Mutex<AcknowledgementDesk?>(nil)
    let desk = AcknowledgementDesk { record in
      let desk = own.withLock { $0 }
      answers.withLock { $0.append(desk?.answer(record, .success(())) == true) }
    }
    own.withLock { $0 = desk }
    desk.open(record(0))
    #expect(answers.withLock { $0 } == [true] && !desk.answer(record(0), .success(())))
    own.withLock { $0 = nil }
  }

  @Test func aHandlerWaitsForTheAnswerToItsRecord() {
    for offset: Int64 in 0...1 { desk.open(record(offset)) }
    let handlers = [handler(record(0)), handler(record(1))]
    #expect(handlers.allSatisfy { $0.outcome == nil })
    #expect(desk.answer(record(1), .success(())))
    #expect(handlers[0].outcome == nil && handlers[1].outcome == "done")
    #expect(desk.answer(record(0), .success(())))
    #expect(handlers[0].outcome == "done")
    // It was answered for once and all.
    #expect(!desk.answer(record(0), .success(())) && !desk.answer(record(1), .failure(Rejected())))
  }

  @Test func anAnswerMayComeBeforeTheHandler() {
    for offset: Int64 in 0...1 { desk.open(record(offset)) }
    #expect(desk.answer(record(0), .success(())) && desk.answer(record(1), .failure(Rejected())))
    #expect(!desk.answer(record(0), .failure(Rejected())), "the first answer counts")
    #expect(handler(record(0)).outcome == "done" && handler(record(1)).outcome == "Rejected")
  }

  @Test func aRejectionIsThrown() {
    desk.open(record(0))
    let handler = handler(record(0))
    #expect(handler.outcome == nil && desk.answer(record(0), .failure(Rejected())))
    #expect(handler.outcome == "Rejected")
  }

  @Test func anAnswerFindsNobodyWhereTheHandlerWasCancelled() {
    desk.open(record(0))
    let handler = handler(record(0))
    #expect(handler.outcome == nil)
    handler.cancel()
    #expect(handler.outcome == "CancellationError")
    #expect(!desk.answer(record(0), .success(())))
  }

  @Test func aHandlerMayBeCancelledBeforeItComes() {
    desk.open(record(0))
    let handler = handler(record(0))
    handler.cancel()
    #expect(handler.outcome == "CancellationError")
    #expect(!desk.answer(record(0), .success(())))
  }

  @Test func anAnswerOutlivesACancellationAfterIt() {
    for offset: Int64 in 0...1 { desk.open(record(offset)) }
    let (early, waiting) = (handler(record(0)), Handler(hand))
    #expect(desk.answer(record(0), .success(())))
    early.cancel()
    #expect(early.outcome == "done")

    waiting.come(for: record(1), at: desk)
    #expect(waiting.outcome == nil && desk.answer(record(1), .failure(Rejected())))
    waiting.cancel()
    #expect(waiting.outcome == "Rejected")
  }

  /// A partition went and came back: the record is handed out again while its first handler still waits.
  @Test(arguments: [0, 1, 2]) func oneAnswerIsForAllTicketsOfAPlace(_ waitingCount: Int) {
    let both = [record(0, held: 0), record(0, held: 1)]
    for record in both { desk.open(record) }
    let handlers = [Handler(hand), Handler(hand)]
    for number in 0..<waitingCount {
      handlers[number].come(for: both[number], at: desk)
      #expect(handlers[number].outcome == nil)
    }
    #expect(desk.answer(both[0], .success(())) && !desk.answer(both[1], .success(())))
    for number in waitingCount..<2 { handlers[number].come(for: both[number], at: desk) }
    #expect(handlers.allSatisfy { $0.outcome == "done" })
  }

  /// Where a place is handed out again after its answer, the new handler waits for one of its own.
  @Test func anAnswerIsForTheHandlersOfItsTime() {
    desk.open(record(0, held: 0))
    #expect(desk.answer(record(0), .success(())))
    desk.open(record(0, held: 1))
    let handlers = [handler(record(0, held: 0)), handler(record(0, held: 1))]
    #expect(handlers[0].outcome == "done" && handlers[1].outcome == nil)
    #expect(desk.answer(record(0), .failure(Rejected())))
    #expect(handlers[1].outcome == "Rejected")
  }

  @Test(arguments: [0, 1]) func oneTicketOfAPlaceMayBeCancelledAlone(_ cancelled: Int) {
    for held: UInt64 in 0...1 { desk.open(record(0, held: held)) }
    let handlers = [handler(record(0, held: 0)), handler(record(0, held: 1))]
    #expect(handlers.allSatisfy { $0.outcome == nil })
    handlers[cancelled].cancel()
    #expect(handlers[cancelled].outcome == "CancellationError" && handlers[1 - cancelled].outcome == nil)
    #expect(desk.answer(record(0), .success(())))
    #expect(handlers[1 - cancelled].outcome == "done")
  }

  @Test func whatWasNeverHandedOutHasNoAnswer() {
    desk.open(record(7, partition: 1))
    for other in [record(8, partition: 1), record(7, partition: 0), record(7, partition: 1, topic: "u")] {
      #expect(!desk.answer(other, .success(())))
    }
    #expect(desk.answer(record(7, partition: 1), .success(())))
  }
}
