internal import Client
internal import Synchronization

/// Administers a cluster (Kafka's `Admin`): topics, configurations, groups, offsets, replicas.
///
/// It speaks the protocol itself, in the versions that the broker offers, so it works with Apache Kafka as well. Calls are made
/// one after the other; several clients make several at a time. Connections are made when they are needed, with TLS and a login
/// where `security` asks for them, and anew after one was lost.
///
/// ```swift
/// let admin = try AdminClient(AdminConfiguration(bootstrapServers: "localhost:9092"))
/// try await admin.createTopic("orders", partitions: 6, configs: ["retention.ms": "86400000"])
/// print(try await admin.describeTopic("orders").partitions.count)
/// ```
public final class AdminClient: Sendable {
  private let bootstrap: [BrokerAddress]
  private let clientId: String
  private let security: ConnectionSecurity
  private let timeoutMs: Int64
  private let calls = BlockingCalls()
  /// Used by one call at a time, on the thread for blocking calls.
  private let connected = Mutex<Client.AdminClient?>(nil)

  /// An administrator of the cluster; nothing is sent yet.
  ///
  /// - Throws: `.invalidValue` for servers that are not `host:port`.
  public init(_ configuration: AdminConfiguration) throws(ClientError) {
    guard let bootstrap = BrokerAddress.list(configuration.bootstrapServers) else {
      throw .invalidValue(
        property: "bootstrap.servers", value: configuration.bootstrapServers,
        reason: "it must be host:port, several separated by commas")
    }
    guard configuration.requestTimeoutMs > 0 else {
      throw .invalidValue(
        property: "request.timeout.ms", value: "\(configuration.requestTimeoutMs)", reason: "it must be above 0")
    }
    self.bootstrap = bootstrap
    clientId = configuration.clientId
    security = configuration.security.connection
    timeoutMs = Int64(configuration.requestTimeoutMs)
  }

  /// Asks, on a connection that is made when there is none.
  ///
  /// - Parameter mayRepeat: whether asking again does no harm, where a connection that stood from before turns out to be dead.
  func ask<Answer: Sendable>(
    mayRepeat: Bool = true,
    _ question: @escaping @Sendable (Client.AdminClient) throws(Client.ClientError) -> Answer
  ) async throws(ClientError) -> Answer {
    try await calls.run { self.askNow(mayRepeat, question) }
  }

  private func askNow<Answer: Sendable>(
    _ mayRepeat: Bool, _ question: (Client.AdminClient) throws(Client.ClientError) -> Answer
  ) -> Result<Answer, ClientError> {
    connected.withLock { connected in
      var mayRepeat = mayRepeat && connected != nil
      while true {
        do throws(Client.ClientError) {
          let client: Client.AdminClient
          if let standing = connected {
            client = standing
          } else {
            client = try Client.AdminClient(
              bootstrap: bootstrap, clientID: clientId, timeoutMs: timeoutMs, security: security)
          }
          connected = client
          return .success(try question(client))
        } catch {
          switch error {
          case .connectionLost, .unreachable, .tlsFailed, .loginRefused: connected = nil
          case .refused, .incompatible, .library: return .failure(ClientError(error))
          }
          guard mayRepeat else { return .failure(ClientError(error)) }
          mayRepeat = false
        }
      }
    }
  }

  /// Closes the connections; the next call makes new ones.
  ///
  /// ```swift
  /// print(try await admin.listTopics())
  /// await admin.disconnect()  // nothing is open during the hour
  /// try await Task.sleep(for: .seconds(3600))
  /// print(try await admin.listTopics())
  /// ```
  public func disconnect() async {
    _ = try? await calls.run { () -> Result<Bool, ClientError> in
      self.connected.withLock { $0 = nil }
      return .success(true)
    }
  }
}

extension ClientError {
  /// What the blocking administration could not do.
  init(_ error: Client.ClientError) {
    switch error {
    case .unreachable(let addresses, let reason):
      self = .brokersUnavailable(
        bootstrapServers: addresses.map(\.description).joined(separator: ","), reason: reason)
    case .connectionLost(let address, let reason):
      self = .connectionLost(broker: address.description, reason: reason)
    case .refused(let operation, let refusal):
      self.init(refusal, operation)
    case .tlsFailed(let reason): self = .tlsFailed(reason: reason)
    case .loginRefused(_, let reason): self = .authenticationFailed(reason: reason)
    case .incompatible(let reason): self = .unsupported(reason: reason)
    case .library(let operation, let reason): self = .illegalState(reason: "\(operation): \(reason)")
    }
  }
}
