/// How an `AdminClient` works (Kafka's `AdminClientConfig`).
///
/// ```swift
/// var configuration = AdminConfiguration(bootstrapServers: "localhost:9092")
/// configuration.security = .saslTLS(.scramSHA256(username: "admin", password: secret), TLS())
/// configuration.clientId = "nightly-cleanup"  // found again in the brokers' logs
/// configuration.requestTimeoutMs = 60_000  // a topic of a thousand partitions takes its time
/// let admin = try AdminClient(configuration)
/// ```
public struct AdminConfiguration: ClientConfiguration {
  /// Where to find the cluster: `host:port`, several separated by commas (`bootstrap.servers`).
  public var bootstrapServers: String
  /// The name under which brokers log this client and count its quotas (`client.id`).
  public var clientId = "ottla"
  /// Encryption and login.
  public var security = Security.plaintext
  /// How long a connection, an answer, or a change may take, in milliseconds (`request.timeout.ms`).
  public var requestTimeoutMs = 10_000

  /// Administration of the cluster at `bootstrapServers`, over plaintext unless `security` says otherwise.
  public init(bootstrapServers: String) { self.bootstrapServers = bootstrapServers }
}
