import OttlaClient
import Synchronization
import TestServers
import Testing

@Suite struct DeliveryReportsTests {
  private final class Told: Sendable {
    let errors = Mutex<[ProducerError]>([])
    let reports = Mutex<[DeliveryReport]>([])

    func note(_ outcome: Result<DeliveryReport, ProducerError>) {
      switch outcome {
      case .success(let report): reports.withLock { $0.append(report) }
      case .failure(let error): errors.withLock { $0.append(error) }
      }
    }
  }

  /// Records whose partition there is not come back together, however many partitions that is.
  @Test func eachRecordIsToldOfItsOwnPartition() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 3)
    let producer = try Producer(broker.producerConfiguration)
    let told = Told()
    let tell: @Sendable (Result<DeliveryReport, ProducerError>) -> Void = { told.note($0) }
    for partition: Int32 in [90, 91, 1, 90, 92, 2] {
      try await producer.enqueue(ProducerRecord(topic: "t", partition: partition, value: "v"), onDelivery: tell)
    }
    try await producer.close()
    let partitions = told.errors.withLock { $0 }.compactMap { error -> Int32? in
      guard case .notDelivered(.unknownPartition(let partition), mayArrive: false) = error else { return nil }
      return partition.partition
    }
    #expect(partitions.sorted() == [90, 90, 91, 92])
    #expect(told.reports.withLock { $0 }.map(\.partition).sorted() == [1, 2])
  }

  /// Listeners of different records in one event are each told of theirs.
  @Test func closuresTakeTurnsAndEachIsToldOfItsRecord() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 1)
    let producer = try Producer(broker.producerConfiguration)
    let told = [Told(), Told()]
    for number in 0..<3000 {
      let mine = told[number / 3 % 2]
      try await producer.enqueue(ProducerRecord(topic: "t", value: "\(number)")) { mine.note($0) }
    }
    try await producer.close()
    for (index, mine) in told.enumerated() {
      let offsets = mine.reports.withLock { $0 }.map { Int($0.offset ?? -1) }
      #expect(offsets == (0..<3000).filter { $0 / 3 % 2 == index })
    }
  }
}
