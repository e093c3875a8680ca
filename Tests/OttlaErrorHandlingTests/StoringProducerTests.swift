import OttlaClient
import Synchronization
import Testing

@testable import OttlaErrorHandling

@Suite struct StoringProducerTests {
  private struct Full: Error {}
  private final class Store: UndeliveredStore {
    let kept = Mutex<[UndeliveredRecord]>([])
    let isFull: Bool
    init(isFull: Bool = false) { self.isFull = isFull }
    func keep(_ record: UndeliveredRecord) async throws {
      if isFull { throw Full() }
      kept.withLock { $0.append(record) }
    }
  }
  private let record = UndeliveredRecord(id: "17", topic: "t", key: [1], value: nil, headers: [Header("a", "b")])

  private func producer(_ store: Store, _ outcome: Result<Void, ProducerError>) -> StoringProducer<Store> {
    StoringProducer(fallingBackTo: store) { (record) throws(ProducerError) in
      #expect(record.headers == [Header("a", "b"), Header("outbox-id", "17")] && record.key == [1])
      try outcome.get()
      throw .rejected(.closed)
    }
  }

  @Test(arguments: [
    ProducerError.notDelivered(.brokersUnavailable(bootstrapServers: "b", reason: "away"), mayArrive: true), .queueFull,
    .closed, .cancelled(mayArrive: true),
  ])
  func whatMayBeSentLaterIsKept(_ error: ProducerError) async throws {
    let store = Store()
    guard case .kept(error) = try await producer(store, .failure(error)).send(record) else {
      Issue.record("not kept")
      return
    }
    #expect(store.kept.withLock { $0 } == [record])
  }

  @Test(arguments: [ProducerError.rejected(.messageTooLarge(reason: "9 MB")), .cancelled(mayArrive: false)])
  func whatCanNeverBeSentIsNot(_ error: ProducerError) async throws {
    let store = Store()
    await #expect(throws: error) { _ = try await producer(store, .failure(error)).send(record) }
    #expect(store.kept.withLock { $0.isEmpty })
  }

  @Test func whatCannotBeKeptEitherIsSaid() async throws {
    await #expect(throws: UndeliveredRecordLost.self) {
      _ = try await producer(Store(isFull: true), .failure(.closed)).send(record)
    }
  }
}
