import Synchronization
import TestServers
import Testing

@testable import OttlaClient

@Suite struct SettledDeliveriesTests {
  private final class Held: Sendable {}
  private final class Watch: Sendable {
    let count = Atomic<Int>(0)
  }

  /// What was told no longer waits, and is freed soon though nobody sends any more.
  @Test func whatIsToldIsFreedThoughNobodySends() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let producer = try Producer(broker.producerConfiguration)
    let watch = Watch()
    weak var watched: Held?
    do {
      let held = Held()
      watched = held
      for _ in 0..<100 {
        try await producer.enqueue(ProducerRecord(topic: "t", value: "v")) { _ in
          _ = held
          watch.count.add(1, ordering: .relaxed)
        }
      }
    }
    try await within(.seconds(20)) {
      while watch.count.load(ordering: .relaxed) < 100 { try await Task.sleep(for: .milliseconds(1)) }
    }
    for _ in 0..<2000 where watched != nil { try await Task.sleep(for: .milliseconds(1)) }
    #expect(watched == nil)
    #expect(producer.waitingRecords == 0)
    try await producer.flush(within: .seconds(5))
    try await producer.close()
  }

  /// Errors and statistics come the same way as delivery reports.
  @Test func aProducerTellsOfErrorsAndStatistics() async throws {
    let errors = Watch()
    let statistics = Watch()
    var configuration = ProducerConfiguration(bootstrapServers: "127.0.0.1:1")
    configuration.statisticsIntervalMs = 50
    configuration.onError = { error in
      if case .brokersUnavailable = error { errors.count.add(1, ordering: .relaxed) }
    }
    configuration.onStatistics = { report in
      if report.json.contains("\"txmsgs\"") { statistics.count.add(1, ordering: .relaxed) }
    }
    let producer = try Producer(configuration)
    try await within(.seconds(10)) {
      while errors.count.load(ordering: .relaxed) == 0 || statistics.count.load(ordering: .relaxed) < 2 {
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    try await producer.close()
  }
}
