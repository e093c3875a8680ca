package import Primitives

/// What a client could not do, in a form that can be shown: `description` is one sentence for people.
package enum ClientError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No connection to any of `addresses`; `reason` is that of the last one tried, in words.
  case unreachable(addresses: [BrokerAddress], reason: String)
  /// A connection that stood was lost, or nothing came on it in time.
  case connectionLost(address: BrokerAddress, reason: String)
  /// No TLS connection could be made, and why.
  case tlsFailed(String)
  /// The broker does not take the login, and why.
  case loginRefused(BrokerAddress, String)
  /// The broker answered `operation` with an error of the protocol.
  case refused(operation: String, KafkaError)
  /// The broker sent what cannot be read, or offers no version that we speak.
  case incompatible(String)
  /// librdkafka refused or gave up; `reason` is its own sentence.
  case library(operation: String, reason: String)

  package var description: String {
    switch self {
    case .unreachable(let addresses, let reason):
      let places = addresses.map(\.description).joined(separator: ", ")
      return "no broker answers at \(places) (\(reason)); is it running? "
        + "`ottla serve` starts one, --bootstrap HOST:PORT names another"
    case .connectionLost(let address, let reason):
      return "the connection to the broker at \(address) was lost: \(reason)"
    case .tlsFailed(let reason): return "no TLS connection could be made: \(reason)"
    case .loginRefused(let address, let reason):
      return "the broker at \(address) does not accept the login: \(reason); check mechanism, name and password"
    case .refused(let operation, let error):
      guard let message = error.message, !message.isEmpty else { return "\(operation): \(error.code.name)" }
      return "\(operation): \(message) (\(error.code.name))"
    case .incompatible(let what): return what
    case .library(let operation, let reason): return "\(operation): \(reason)"
    }
  }
}
