package import KafkaProtocol
package import Primitives

/// Who sends requests on a connection: made once per connection and client id, shared by all its requests.
package final class ClientIdentity: Sendable {
  package let clientID: String
  package let address: PeerAddress
  /// The broker that the client says it is, and the run of it: its client id is `BrokerName.clientID`. nil for clients.
  package let claimedBroker: BrokerName?
  package init(clientID: String, address: PeerAddress) {
    self.clientID = clientID
    self.address = address
    claimedBroker = BrokerName(clientID: clientID)
  }
}

/// How brokers name themselves to each other: number and run. The id of a run is known to the brokers of the cluster alone.
package struct BrokerName: Sendable, Equatable {
  package let id: BrokerID
  package let incarnation: UUID
  package init(id: BrokerID, incarnation: UUID) {
    self.id = id
    self.incarnation = incarnation
  }

  private static let prefix = "ottla-broker-"

  /// The name as the client id of requests.
  package var clientID: String { "\(Self.prefix)\(id.value)-\(incarnation)" }

  /// Reads what `clientID` writes; nil for anything else.
  package init?(clientID: String) {
    guard clientID.utf8.count <= 64, clientID.hasPrefix(Self.prefix) else { return nil }
    let parts = clientID.dropFirst(Self.prefix.count).split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let number = Int32(parts[0]), number >= 0, let incarnation = UUID(parts[1]) else {
      return nil
    }
    self.init(id: BrokerID(number), incarnation: incarnation)
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
