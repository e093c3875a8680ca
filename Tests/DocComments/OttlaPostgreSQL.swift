// What the examples in the comments of OttlaPostgreSQL have at hand; scripts/check-doc-examples compiles them with it.

var password: String { fatalError("only for the compiler") }
var limit: Int { fatalError("only for the compiler") }
