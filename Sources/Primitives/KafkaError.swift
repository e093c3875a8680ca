/// An expected failure that the client is told: a code of the protocol and a sentence for people.
package struct KafkaError: Error, Hashable, Sendable {
  package let code: ErrorCode
  /// What happened, to what, and what to do; nil where the code says it all.
  package let message: String?
  package init(_ code: ErrorCode, _ message: String? = nil) {
    self.code = code
    self.message = message
  }
}
