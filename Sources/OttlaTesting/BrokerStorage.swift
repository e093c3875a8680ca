/// Where an embedded broker keeps its records.
///
/// ```swift
/// let broker = try await EmbeddedBroker.start(storage: .temporaryFolder)
/// ```
public enum BrokerStorage: Hashable, Sendable {
  /// In memory: quick, and gone with the broker. A sync costs nothing.
  case memory
  /// In a new folder below `TMPDIR` (else `/tmp`), which is removed when the broker is stopped. Syncs are real.
  case temporaryFolder
}
