internal import CLibrdkafka

/// Turns librdkafka's delivery reports into outcomes, on the producer's thread.
final class DeliveryReports: Sendable {
  private typealias Message = UnsafePointer<rd_kafka_message_t>
  private typealias Messages = UnsafeMutableBufferPointer<Message?>
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
    withUnsafeTemporaryAllocation(of: Message?.self, capacity: Self.messagesMax) { messages in
      var partition: TopicPartition?
      while true {
        let count = rd_kafka_event_message_array(event, messages.baseAddress, messages.count)
        guard count > 0, let first = messages[0]?.pointee else { return }
        // Delivered records of an event are of one partition, and names are made of bytes. Those given up are of one topic at least.
        let known = partition ?? TopicPartition(Self.name(first.rkt), first.partition)
        partition = known
        tell(UnsafeMutableBufferPointer(rebasing: messages[..<count]), known, &told)
      }
    }
    let records = told.records
    settled.add(told)
    room.ring(records)
  }

  /// Records with one listener are told together: references to it are counted once then.
  private func tell(_ messages: Messages, _ partition: TopicPartition, _ told: inout SettledDeliveries.Batch) {
    var start = 0
    while start < messages.count {
      let opaque = messages[start]?.pointee._private
      let end = messages[start...].firstIndex { $0?.pointee._private != opaque } ?? messages.count
      told.note(opaque, records: end - start)
      if let opaque { tell(DeliveryListeners.listener(at: opaque), messages, start..<end, partition) }
      start = end
    }
  }

  private static func name(_ topic: OpaquePointer?) -> String {
    topic.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
  }

  @inline(never)
  private func tell(
    _ listener: Delivery.Listener, _ messages: Messages, _ range: Range<Int>, _ partition: TopicPartition
  ) {
    for index in range {
      if let message = messages[index] { listener.tell(outcome(message, partition)) }
    }
  }

  private func outcome(_ message: Message, _ partition: TopicPartition) -> Delivery.Outcome {
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
    _ code: rd_kafka_resp_err_t, _ message: Message, _ topic: String
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
