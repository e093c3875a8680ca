internal import CLibrdkafka

/// Turns librdkafka's delivery reports into outcomes, on the producer's thread.
final class DeliveryReports: Sendable {
  private static let messagesMax = 1024

  private let room: Bell
  private let health: ClientHealth
  private let settled: SettledDeliveries

  init(room: Bell, health: ClientHealth, settled: SettledDeliveries) {
    self.room = room
    self.health = health
    self.settled = settled
  }

  /// Tells what became of an event's records, and leaves the event to `settled`.
  func serve(_ event: OpaquePointer) {
    var told = SettledDeliveries.Batch(event: event)
    var place = Place()
    withUnsafeTemporaryAllocation(of: UnsafePointer<rd_kafka_message_t>?.self, capacity: Self.messagesMax) { messages in
      while true {
        let count = rd_kafka_event_message_array(event, messages.baseAddress, messages.count)
        guard count > 0 else { return }
        for message in messages[..<count] { if let message { tell(message, &place, &told) } }
      }
    }
    let records = told.records
    settled.add(told)
    room.ring(records)
  }

  /// The topic's name of the report before: an event is of one partition, and names are made of bytes.
  private struct Place {
    var topic: OpaquePointer?
    var partition: TopicPartition?
  }

  private func tell(
    _ message: UnsafePointer<rd_kafka_message_t>, _ place: inout Place, _ told: inout SettledDeliveries.Batch
  ) {
    let opaque = message.pointee._private
    told.note(opaque)
    guard let opaque else { return }
    if place.topic != message.pointee.rkt || place.partition?.partition != message.pointee.partition {
      let name = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
      place = Place(topic: message.pointee.rkt, partition: TopicPartition(name, message.pointee.partition))
    }
    if let partition = place.partition { DeliveryListeners.tell(opaque, outcome(message, partition)) }
  }

  private func outcome(_ message: UnsafePointer<rd_kafka_message_t>, _ partition: TopicPartition) -> Delivery.Outcome {
    let code = message.pointee.err
    if code == RD_KAFKA_RESP_ERR_NO_ERROR {
      var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
      return .success(
        DeliveryReport(
          topicPartition: partition, offset: message.pointee.offset >= 0 ? message.pointee.offset : nil,
          timestamp: rd_kafka_message_timestamp(message, &kind)))
    }
    let mayArrive = rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED
    return .failure(.notDelivered(reason(code, message, partition.topic), mayArrive: mayArrive))
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
