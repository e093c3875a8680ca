package import Primitives

/// The rules of topic names (Kafka's `Topic`). A valid name is also a safe folder name.
package enum TopicName {
  /// A name's folder is `<name>-<partition>`, and file systems stop at 255.
  package static let byteCountMax = 249
  /// Committed offsets and groups.
  package static let consumerOffsets = "__consumer_offsets"
  /// Transactions.
  package static let transactionState = "__transaction_state"
  /// The name Kafka gives its metadata log; no topic may have it.
  package static let clusterMetadata = "__cluster_metadata"

  /// Whether `name` is a topic of the broker's own.
  package static func isInternal(_ name: String) -> Bool {
    name == consumerOffsets || name == transactionState
  }

  /// - Throws: INVALID_TOPIC_EXCEPTION with the rule that `name` breaks.
  package static func validate(_ name: String) throws(KafkaError) {
    if name.isEmpty { throw invalid("it is empty") }
    if name == "." || name == ".." { throw invalid("'\(name)' is not allowed") }
    let byteCount = name.utf8.count
    if byteCount > byteCountMax {
      throw invalid("it has \(byteCount) characters, and at most \(byteCountMax) are allowed")
    }
    if !name.utf8.allSatisfy(isAllowed) {
      throw invalid("'\(name)' has other characters than ASCII letters, digits, '.', '_' and '-'")
    }
  }

  /// The name with '.' made '_': two topics whose names agree in this would have the same metric names.
  package static func collisionKey(of name: String) -> String {
    String(decoding: name.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
  }

  /// Whether `name` can collide with another at all.
  static func canCollide(_ name: String) -> Bool {
    name.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") }
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }

  private static func invalid(_ reason: String) -> KafkaError {
    KafkaError(.invalidTopicException, "Topic name is invalid: \(reason).")
  }
}
