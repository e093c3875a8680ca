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
    // The topic is in the words of the operation: "topic orders", "partition orders-0".
    let topic = operation.hasPrefix("topic ") ? String(operation.dropFirst(6)) : nil
    if code == .unknownTopicOrPartition, topic == nil {
      self = .refused(code: Int32(code.rawValue), name: code.name, reason: reason)
    } else {
      self.init(rd_kafka_resp_err_t(Int32(code.rawValue)), operation, reason: reason, topic: topic)
    }
  }
}
