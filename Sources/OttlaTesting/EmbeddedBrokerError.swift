/// Why an embedded broker, or a cluster of them, does not do what was asked. `description` is a sentence.
///
/// ```swift
/// do {
///   _ = try await EmbeddedBroker.start(properties: ["num.partitions": "none"])
/// } catch {
///   print(error)   // these properties cannot be used: num.partitions=none: must be ...
/// }
/// ```
///
/// What many tests start from says whose fault it is:
///
/// ```swift
/// func brokerForShop(_ properties: [String: String]) async throws -> EmbeddedBroker {
///   do {
///     return try await EmbeddedBroker.start(properties: properties)
///   } catch {
///     switch error {
///     case .badProperties(let lines): Issue.record("the test sets what cannot be: \(lines)")
///     case .notStarted(let reason): Issue.record("this machine cannot run a broker now: \(reason)")
///     case .stopped: break   // only `restart` says so
///     }
///     throw error
///   }
/// }
/// ```
public enum EmbeddedBrokerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Properties that a broker cannot be started with; the text has a line for each.
  case badProperties(String)
  /// The broker did not start; the text says why.
  case notStarted(String)
  /// It was stopped, and what it held is gone: start another one.
  case stopped

  /// One sentence: what happened, and what to do.
  public var description: String {
    switch self {
    case .badProperties(let lines): "these properties cannot be used: \(lines)"
    case .notStarted(let reason): "the embedded broker did not start: \(reason)"
    case .stopped: "the embedded broker was stopped: start another one"
    }
  }
}
