/// What a publisher has to tell.
public enum OutboxEvent: Sendable, Hashable {
  /// Messages were acknowledged, and written down as sent.
  case sent(count: Int)
  /// A message was not acknowledged; it is tried again later. `failureCount` counts from 1.
  case failed(OutboxMessage, reason: String, failureCount: Int)
  /// A message was set aside.
  case refused(OutboxMessage, reason: String)
  /// Sent messages were removed.
  case removed(count: Int)
  /// The store could not be asked; it is asked again later.
  case storeFailed(reason: String)
}

/// What `publish` throws for a message that can never be sent as it is: too large for its topic, for instance. It is set aside, and
/// the messages after it go on.
public struct OutboxRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
