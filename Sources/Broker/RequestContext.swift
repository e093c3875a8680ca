package import KafkaProtocol
package import Primitives

/// Who sends requests on a connection: made once per connection and client id, shared by all its requests.
package final class ClientIdentity: Sendable {
  package let clientID: String
  package let address: PeerAddress
  package init(clientID: String, address: PeerAddress) {
    self.clientID = clientID
    self.address = address
  }
}

/// Where an answer goes: each request is answered exactly once.
package enum ReplyAddress: Sendable {
  /// A request of this shard's connection, by its place among the connection's requests.
  case connection(ConnectionID, sequence: UInt64)
  /// A request that another shard handed to this one.
  case shard(Int, RequestToken)
  /// One of several requests that a local one was split into.
  case part(RequestToken, index: Int)
}

/// What a handler knows of a request besides its body.
package struct RequestContext: Sendable {
  package let apiKey: APIKey
  package let version: Int16
  package let client: ClientIdentity
  package let replyTo: ReplyAddress

  package func replying(to address: ReplyAddress) -> RequestContext {
    RequestContext(apiKey: apiKey, version: version, client: client, replyTo: address)
  }
}
