internal import CLibrdkafka
internal import Primitives

/// Between the SDK's names of things and the brokers'.
extension TopicPartition {
  var wire: Primitives.TopicPartition { Primitives.TopicPartition(topic, partition) }

  init(_ partition: Primitives.TopicPartition) { self.init(partition.topic, partition.partition) }
}

extension Dictionary where Key == TopicPartition {
  var wire: [Primitives.TopicPartition: Value] {
    [Primitives.TopicPartition: Value](uniqueKeysWithValues: map { ($0.key.wire, $0.value) })
  }
}

extension Dictionary where Key == Primitives.TopicPartition {
  var `public`: [TopicPartition: Value] {
    [TopicPartition: Value](uniqueKeysWithValues: map { (TopicPartition($0.key), $0.value) })
  }
}

extension ClientError {
  /// An error of the protocol, with what was tried.
  init(_ error: KafkaError, _ operation: String) { self.init(error.code, error.message, operation) }

  init(_ code: ErrorCode, _ message: String?, _ operation: String) {
    let reason = message.flatMap { $0.isEmpty ? nil : "\(operation): \($0)" } ?? operation
    // What is missing is in the words of the operation: "topic orders", "partition orders-0".
    let topic = operation.hasPrefix("topic ") ? String(operation.dropFirst(6)) : nil
    if code == .unknownTopicOrPartition, let partition = Self.partition(in: operation) {
      self = .unknownPartition(partition)
    } else if code == .unknownTopicOrPartition, topic == nil {
      self = .refused(code: Int32(code.rawValue), name: code.name, reason: reason)
    } else {
      self.init(rd_kafka_resp_err_t(Int32(code.rawValue)), operation, reason: reason, topic: topic)
    }
  }

  /// A topic's name may have a `-`; the last one is before the number.
  private static func partition(in operation: String) -> TopicPartition? {
    guard operation.hasPrefix("partition "), let dash = operation.lastIndex(of: "-"),
      let number = Int32(operation[operation.index(after: dash)...])
    else { return nil }
    return TopicPartition(String(operation[..<dash].dropFirst(10)), number)
  }
}
