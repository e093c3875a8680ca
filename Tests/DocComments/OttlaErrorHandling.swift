// What the examples in the comments of OttlaErrorHandling have at hand; scripts/check-doc-examples compiles them with it.

import OttlaClient
import OttlaErrorHandling

var configuration: ConsumerConfiguration { fatalError("only for the compiler") }
var settings: ProcessingSettings {
  get { fatalError("only for the compiler") }
  set {}
}
var processor: RecordProcessor { fatalError("only for the compiler") }
var consumer: AcknowledgingConsumer { fatalError("only for the compiler") }
var record: ConsumerRecord { fatalError("only for the compiler") }
var kafka: Producer { fatalError("only for the compiler") }
var producer: Producer { fatalError("only for the compiler") }
var store: RecordShelf { fatalError("only for the compiler") }
var storing: StoringProducer<RecordShelf> { fatalError("only for the compiler") }
var undelivered: UndeliveredRecord { fatalError("only for the compiler") }
var database: OrderDatabase { fatalError("only for the compiler") }
var mailer: Mailer { fatalError("only for the compiler") }
var alarms: Alarms { fatalError("only for the compiler") }
var figures: Figures { fatalError("only for the compiler") }
var seen: SeenIDs { fatalError("only for the compiler") }

func handle(_ record: ConsumerRecord) async throws {}
func answer(_ status: Int, _ text: String) {}

struct Mail: Codable, Sendable { var to = "" }
struct InvalidAddress: Error {}
struct MailServerAway: Error {}
struct WrongPassword: Error {}
struct MailError: Error { var isPermanent = false }
struct HTTPError: Error { var status = 500 }

struct Mailer: Sendable {
  func send(_ mail: Mail) async throws {}
}

struct OrderDatabase: Sendable {
  func insert(_ batch: [ConsumerRecord]) async throws {}
}

struct Alarms: Sendable {
  func raise(_ text: String) {}
}

struct Figures: Sendable {
  func count(_ what: String) {}
}

actor SeenIDs {
  func contains(_ id: String) -> Bool { false }
}

struct RecordShelf: UndeliveredStore {
  func keep(_ record: UndeliveredRecord) async throws {}
}
