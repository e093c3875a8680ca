// What the examples in the comments of OttlaJSON have at hand; scripts/check-doc-examples compiles them with it.

import OttlaClient

struct Order: Codable, Sendable {
  let id: Int
  let total: Double
}

var producer: Producer { neverCalled() }
var consumer: Consumer { neverCalled() }
var record: ConsumerRecord { neverCalled() }
var order: Order { Order(id: 17, total: 9.5) }

private func neverCalled() -> Never { fatalError("the examples are compiled, and not run") }
