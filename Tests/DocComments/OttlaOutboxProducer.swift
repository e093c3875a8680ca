// What the examples in the comments of OttlaOutboxProducer have at hand; scripts/check-doc-examples compiles them with it.

import OttlaClient
import OttlaErrorHandling
import OttlaOutbox
import OttlaSQL

var database: SQLDatabase { fatalError("only for the compiler") }
var transaction: SQLTransaction { fatalError("only for the compiler") }
var store: SQLOutboxStore { fatalError("only for the compiler") }
var outbox: Outbox<SQLOutboxStore> { fatalError("only for the compiler") }
var inbox: Inbox { fatalError("only for the compiler") }
var message: OutboxMessage { fatalError("only for the compiler") }
var undelivered: UndeliveredRecord { fatalError("only for the compiler") }
var record: ConsumerRecord { fatalError("only for the compiler") }
var producer: Producer { fatalError("only for the compiler") }
