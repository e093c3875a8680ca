// What the examples in the comments of OttlaTesting have at hand; scripts/check-doc-examples compiles them with it.

import OttlaTesting

var broker: EmbeddedBroker { fatalError("only for the compiler") }
var cluster: EmbeddedCluster { fatalError("only for the compiler") }
var shop: Shop { fatalError("only for the compiler") }

struct Shop: Sendable {
  init(bootstrapServers: String) throws {}
  func order(_ item: String) async throws {}
  func orders() async throws -> [String] { [] }
}
