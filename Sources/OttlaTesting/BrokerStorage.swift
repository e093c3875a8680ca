/// Where an embedded broker keeps its records.
///
/// ```swift
/// // For what a program does with its records, as most tests look at:
/// let quick = try await EmbeddedBroker.start(storage: .memory)
/// // For how long it takes, with a disk that has to be waited for:
/// let real = try await EmbeddedBroker.start(storage: .temporaryFolder)
/// ```
public enum BrokerStorage: Hashable, Sendable {
  /// In memory: quick, and gone with the broker. A sync costs nothing.
  case memory
  /// In a new folder below `TMPDIR` (else `/tmp`), which is removed when the broker is stopped. Syncs are real.
  case temporaryFolder
}
