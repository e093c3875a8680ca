/// Where records go that are not tried any more: a topic beside the one they come from (Spring's `DeadLetterPublishingRecoverer`).
///
/// A dead letter has key, value and headers of the record, and those of ``FailureHeader``. It goes to the partition of the same number
/// where the topic has that, else where its key leads. One that cannot be written is tried again until it is: it is never dropped.
///
/// ```swift
/// let letters = DeadLetters(suffix: "-dlt")
/// let handler = ErrorHandler(backOff: .fixed(.seconds(1), retries: 2), whenUsedUp: .deadLetter(letters))
/// print("what fails three times is in \(letters.name("orders"))")   // orders-dlt
/// ```
///
/// One topic for all that a service reads; the headers say where each record comes from:
///
/// ```swift
/// let letters = DeadLetters { _ in "billing-dlt" }
/// ```
public struct DeadLetters: Sendable {
  /// The name of the topic for records of `topic`.
  public var name: @Sendable (_ topic: String) -> String

  /// Topics of the name with a suffix: `orders.DLT`.
  public init(suffix: String = ".DLT") { name = { $0 + suffix } }

  /// Topics as `name` calls them: one for all, say.
  public init(name: @escaping @Sendable (_ topic: String) -> String) { self.name = name }
}
