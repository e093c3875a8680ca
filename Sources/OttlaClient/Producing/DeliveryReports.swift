internal import CLibrdkafka

/// Turns librdkafka's delivery reports into outcomes, on whichever thread serves them.
final class DeliveryReports: Sendable {
  private let room: Bell
  private let health: ClientHealth

  init(room: Bell, health: ClientHealth) {
    self.room = room
    self.health = health
  }

  /// One record has come to its end.
  func note(_ message: UnsafePointer<rd_kafka_message_t>) {
    room.ring()
    guard let delivery = Delivery.take(message.pointee._private) else { return }
    delivery.tell(outcome(message))
  }

  private func outcome(_ message: UnsafePointer<rd_kafka_message_t>) -> Delivery.Outcome {
    let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
    let code = message.pointee.err
    if code == RD_KAFKA_RESP_ERR_NO_ERROR {
      var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
      return .success(
        DeliveryReport(
          topicPartition: TopicPartition(topic, message.pointee.partition),
          offset: message.pointee.offset >= 0 ? message.pointee.offset : nil,
          timestamp: rd_kafka_message_timestamp(message, &kind)))
    }
    let mayArrive = rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED
    return .failure(.notDelivered(reason(code, message, topic), mayArrive: mayArrive))
  }

  /// Why a record was given up: behind a timeout or a purge stands what librdkafka complained of before.
  private func reason(
    _ code: rd_kafka_resp_err_t, _ message: UnsafePointer<rd_kafka_message_t>, _ topic: String
  ) -> ClientError {
    switch code {
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
      if let refusal = health.refusal { return refusal }
      if let fatal = health.fatal { return fatal }
      let why = health.lastReason
      if code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT {
        return .timedOut(operation: "delivering to \(topic)", reason: why.isEmpty ? ClientError.sentence(code) : why)
      }
      guard !why.isEmpty else { return .closed }
      return .brokersUnavailable(bootstrapServers: health.bootstrapServers, reason: why)
    default:
      return ClientError(
        code, "sending a record", topic: topic, partition: message.pointee.partition,
        bootstrapServers: health.bootstrapServers)
    }
  }
}
