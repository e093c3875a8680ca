import OttlaClient
import Synchronization
import TestServers
import Testing

@Suite struct BrokerRestartTests {
  /// Killed three times while records are sent and read: each acknowledged record is there, in order, and read.
  @Test func nothingIsLostWhenTheBrokerIsKilled() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let total = 3000
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    let reading = Task {
      var values: [Int] = []
      for try await record in consumer.records {
        if let number = record.valueText.flatMap(Int.init) { values.append(number) }
        if Set(values).count == total { break }
      }
      return values
    }
    let acknowledged = Mutex<[Int64]>([])
    let sending = Task {
      try await withProducer(broker.producerConfiguration) { producer in
        for number in 0..<total {
          try await producer.enqueue(ProducerRecord(topic: "t", value: "\(number)")) { outcome in
            if case .success(let report) = outcome, let offset = report.offset {
              acknowledged.withLock { $0.append(offset) }
            } else {
              Issue.record("\(number): \(outcome)")
            }
          }
          if number % 10 == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
      }
    }
    for _ in 0..<3 {
      try await Task.sleep(for: .milliseconds(300))
      broker.kill()
      try await Task.sleep(for: .milliseconds(200))
      try broker.restart()
    }
    try await within(.seconds(60)) { try await sending.value }
    let values = try await within(.seconds(60)) { try await reading.value }
    #expect(acknowledged.withLock { $0 } == Array(0..<Int64(total)))
    // A rebalance on the way may read some twice, and none out of order or never.
    #expect(Set(values) == Set(0..<total))
    try await consumer.close()
  }

  @Test func anAdministratorFindsItsBrokerAgain() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    try await admin.createTopic("t")
    try broker.restart()
    #expect(try await admin.listTopics() == ["t"])
    broker.kill()
    await #expect {
      try await admin.listTopics()
    } throws: { ($0 as? ClientError)?.isRetriable == true }
  }
}
