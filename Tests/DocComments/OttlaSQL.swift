// What the examples in the comments of OttlaSQL have at hand; scripts/check-doc-examples compiles them with it.

import OttlaSQL

var database: SQLDatabase { fatalError("only for the compiler") }
var transaction: SQLTransaction { fatalError("only for the compiler") }
var row: SQLRow { fatalError("only for the compiler") }
var table: String { fatalError("only for the compiler") }
var item: String { fatalError("only for the compiler") }
var email: String { fatalError("only for the compiler") }
var order: String { fatalError("only for the compiler") }
var id: Int { fatalError("only for the compiler") }
var price: Int { fatalError("only for the compiler") }
var limit: Int { fatalError("only for the compiler") }
var amount: Int { fatalError("only for the compiler") }
var from: Int { fatalError("only for the compiler") }
var to: Int { fatalError("only for the compiler") }
var isNewestFirst: Bool { fatalError("only for the compiler") }

func book(_ order: String, in transaction: SQLTransaction) async throws {}
