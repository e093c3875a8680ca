internal import OttlaClient
internal import OttlaErrorHandling

/// A record that was given up, in a sentence.
struct DeadLetter {
  private static let valueCharactersMax = 200

  let sentence: String

  init(_ record: ConsumerRecord) {
    self.init(
      place: "\(record.topicPartition)@\(record.offset)", headers: record.headers, value: record.valueText,
      byteCount: record.value?.count)
  }

  /// - Parameter value: nil for none, or one that is no text.
  init(place: String, headers: [Header], value: String?, byteCount: Int?) {
    func text(_ name: String) -> String { headers.last { $0.name == name }?.text ?? "?" }
    let origin =
      "\(text(FailureHeader.originalTopic))-\(text(FailureHeader.originalPartition))"
      + "@\(text(FailureHeader.originalOffset))"
    let attempts = text(FailureHeader.attempts)
    let shown = value.map { $0.count > Self.valueCharactersMax ? "\($0.prefix(Self.valueCharactersMax))..." : $0 }
    sentence =
      "dead letter \(place), once \(origin): given up by \(text(FailureHeader.group)) after \(attempts) attempt(s): "
      + "\(text(FailureHeader.errorMessage)) (\(text(FailureHeader.errorType))); its value: "
      + (shown ?? byteCount.map { "\($0) bytes that are no text" } ?? "null")
  }
}
