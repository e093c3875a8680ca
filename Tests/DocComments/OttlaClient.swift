// What the examples in the comments of OttlaClient have at hand; scripts/check-doc-examples compiles them with it.

import OttlaClient
import OttlaJSON

struct Order: Codable, Sendable {
  let id: Int
  let total: Double
}

struct Customer: Codable, Sendable {
  let id: Int
}

struct Database: Sendable {
  func insert(_ records: [ConsumerRecord]) async throws {}
  func rebuild() async throws {}
  func offset(of partition: TopicPartition) async -> Int64? { nil }
  func flush(_ partition: TopicPartition) async {}
  func forget(_ partition: TopicPartition) async {}
}

func handle(_ record: ConsumerRecord) async throws {}
func handle(_ order: Order) async throws {}

var admin: AdminClient { neverCalled() }
var producer: Producer { neverCalled() }
var consumer: Consumer { neverCalled() }
var record: ConsumerRecord { neverCalled() }
var configuration: ConsumerConfiguration {
  get { neverCalled() }
  set { neverCalled() }
}
var later: [ProducerRecord] {
  get { [] }
  set {}
}
var customers: [String: String] {
  get { [:] }
  set {}
}
var codec: JSONCodec<Order> { JSONCodec() }
var order: Order { Order(id: 17, total: 9.5) }
var database: Database { Database() }
var isEnough: Bool { true }
var secret: String { "secret" }

private func neverCalled() -> Never { fatalError("the examples are compiled, and not run") }
