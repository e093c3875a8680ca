// What the examples in the comments of OttlaSQLite have at hand; scripts/check-doc-examples compiles them with it.

var isCache: Bool { fatalError("only for the compiler") }
