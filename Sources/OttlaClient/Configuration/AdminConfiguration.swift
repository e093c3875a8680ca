/// How an `AdminClient` works (Kafka's `AdminClientConfig`).
///
/// ```swift
/// let admin = try AdminClient(AdminConfiguration(bootstrapServers: "localhost:9092"))
/// ```
public struct AdminConfiguration: Sendable {
  /// Where to find the cluster: `host:port`, several separated by commas (`bootstrap.servers`).
  public var bootstrapServers: String
  /// How long a connection, an answer, or a change may take, in milliseconds (`request.timeout.ms`).
  public var requestTimeoutMs = 10_000

  /// Administration of the cluster at `bootstrapServers`, over plaintext: it has neither TLS nor SASL yet.
  public init(bootstrapServers: String) { self.bootstrapServers = bootstrapServers }
}
