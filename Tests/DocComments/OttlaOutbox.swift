// What the examples in the comments of OttlaOutbox have at hand; scripts/check-doc-examples compiles them with it.

import OttlaClient
import OttlaOutbox
import OttlaSQL

var database: SQLDatabase { fatalError("only for the compiler") }
var transaction: SQLTransaction { fatalError("only for the compiler") }
var store: SQLOutboxStore { fatalError("only for the compiler") }
var outbox: Outbox<SQLOutboxStore> { fatalError("only for the compiler") }
var publisher: OutboxPublisher<SQLOutboxStore> { fatalError("only for the compiler") }
var inbox: Inbox { fatalError("only for the compiler") }
var message: OutboxMessage { fatalError("only for the compiler") }
var row: OutboxRow { fatalError("only for the compiler") }
var claim: OutboxClaim { fatalError("only for the compiler") }
var outcomes: [OutboxOutcome] { fatalError("only for the compiler") }
var id: String { fatalError("only for the compiler") }
var name: String { fatalError("only for the compiler") }
var text: String { fatalError("only for the compiler") }
var record: ConsumerRecord { fatalError("only for the compiler") }
var producer: Producer { fatalError("only for the compiler") }
var client: OtherClient { fatalError("only for the compiler") }
var shelf: Shelf { fatalError("only for the compiler") }
var document: Document { fatalError("only for the compiler") }

func send(_ message: OutboxMessage) async throws {}
func answer(_ status: Int, _ text: String) {}

struct OtherClient: Sendable {
  func send(
    _ topic: String, key: [UInt8]?, value: [UInt8]?, headers: [(name: String, value: [UInt8])]
  ) async throws {}
}

struct Document {
  var number: Int64 = 0
  var lane: Int64?
  var message: OutboxMessage
  var failureCount = 0
}

struct Shelf: Sendable {
  func makeSlot(_ slot: Int) async throws {}
  func insert(_ message: OutboxMessage, slot: Int, lane: Int64?) async throws {}
  func takeSlots(_ count: Int, for lease: Duration, as token: String) async throws {}
  func rows(ofSlotsWith token: String, max: Int) async throws -> [OutboxRow] { [] }
  func markSent(_ position: Int64) async throws {}
  func putOff(_ position: Int64, by delay: Duration, because reason: String) async throws {}
  func setAside(_ position: Int64, because reason: String) async throws {}
}
