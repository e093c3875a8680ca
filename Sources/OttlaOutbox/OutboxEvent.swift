/// What a publisher has to tell.
///
/// ```swift
/// let publisher = OutboxPublisher(store) { event in
///   switch event {
///   case .failed(let message, let reason, let count): print("\(message.id) failed \(count) times: \(reason)")
///   case .refused(let message, let reason): print("\(message.id) is set aside: \(reason)")
///   case .storeFailed(let reason): print("the outbox cannot be read: \(reason)")
///   case .sent, .removed: break
///   }
/// } publish: { message in
///   try await send(message)
/// }
/// ```
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
///
/// ```swift
/// do {
///   _ = try await producer.send(ProducerRecord(message))
/// } catch {
///   // A broker that is away comes back; a record that is too large stays so.
///   guard case .messageTooLarge? = error.cause else { throw error }
///   let refusal = OutboxRefusal("\(error)")
///   print("\(message.id) is set aside: \(refusal.reason)")
///   throw refusal
/// }
/// ```
public struct OutboxRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// Why it can never be sent, for the event and the store.
  public let reason: String
  /// A refusal with its reason.
  public init(_ reason: String) { self.reason = reason }
  /// The reason.
  public var description: String { reason }
}
