internal import CLibrdkafka

/// Sends records through librdkafka: idempotent, acks=all, batched in the background.
///
/// One owner, one thread. Records not yet acknowledged when the producer goes away are lost: call `flush` first.
package final class Producer {
  private let handle: OpaquePointer
  private let callbacks: ProducerCallbacks
  private var topics: [String: OpaquePointer] = [:]
  private var lastTopic: (name: String, handle: OpaquePointer)?
  private var sinceLastPoll = 0

  /// Chosen by librdkafka: the hash of the key, or any partition for records without one.
  package static let anyPartition: Int32 = -1

  /// - Throws: `.library` for a property that librdkafka does not know or refuses.
  package init(_ settings: ClientSettings) throws(ClientError) {
    let callbacks = ProducerCallbacks()
    let configuration = try settings.makeConfiguration(defaults: [
      ("enable.idempotence", "true"), ("acks", "all"), ("linger.ms", "5"), ("delivery.timeout.ms", "120000"),
      ("queue.buffering.max.messages", "200000"), ("queue.buffering.max.kbytes", "262144"),
      ("batch.size", "262144"), ("partitioner", "murmur2_random"),
    ])
    callbacks.health.watch(configuration)
    rd_kafka_conf_set_opaque(configuration, callbacks.opaque)
    rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
      guard let message, let opaque else { return }
      Unmanaged<ProducerCallbacks>.fromOpaque(opaque).takeUnretainedValue().delivered(message)
    }
    handle = try ClientSettings.makeHandle(RD_KAFKA_PRODUCER, configuration)
    self.callbacks = callbacks
  }

  deinit {
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    for topic in topics.values { rd_kafka_topic_destroy(topic) }
    rd_kafka_destroy(handle)
  }

  /// How the records sent so far have ended; moves while `send`, `poll` and `flush` run.
  package var tally: DeliveryTally { callbacks.tally }
  /// Records sent and neither acknowledged nor given up.
  package var waiting: Int { Int(rd_kafka_outq_len(handle)) }
  /// Whether no broker could be reached when librdkafka last tried.
  package var allBrokersDown: Bool { callbacks.health.allBrokersDown }
  /// The last complaint of librdkafka's connections; empty when there was none.
  package var lastReason: String { callbacks.health.lastReason }

  /// Hands a record over; copies key and value. Waits, serving acknowledgements, while the queue is full.
  ///
  /// - Parameter partition: a partition, or `anyPartition`.
  /// - Throws: `.library` when the record can never be sent (too large, no such partition, a fatal error). A record that
  ///   fails later is in `tally`.
  package func send(
    topic: String, partition: Int32 = Producer.anyPartition, key: UnsafeRawBufferPointer?,
    value: UnsafeRawBufferPointer?
  ) throws(ClientError) {
    let destination = try topicHandle(topic)
    while true {
      // A record with an empty key is not one without a key: the pointer says which.
      let result = rd_kafka_produce(
        destination, partition, Int32(RD_KAFKA_MSG_F_COPY),
        UnsafeMutableRawPointer(mutating: Self.pointer(value)), value?.count ?? 0, Self.pointer(key), key?.count ?? 0,
        nil)
      if result == 0 { break }
      try waitForRoom(rd_kafka_last_error())
    }
    served()
  }

  /// Hands over a record with headers, or with a time of its own in milliseconds since 1970.
  package func send(
    topic: String, partition: Int32 = Producer.anyPartition, key: UnsafeRawBufferPointer?,
    value: UnsafeRawBufferPointer?, headers: [(name: String, value: [UInt8]?)], timestamp: Int64? = nil
  ) throws(ClientError) {
    let destination = try topicHandle(topic)
    while true {
      let list = Self.headerList(headers)
      let result = ottla_rdkafka_produce(
        handle, destination, partition, Self.pointer(key), key?.count ?? 0, Self.pointer(value), value?.count ?? 0,
        list, timestamp ?? -1, nil)
      if result == RD_KAFKA_RESP_ERR_NO_ERROR { break }
      if let list { rd_kafka_headers_destroy(list) }
      try waitForRoom(result)
    }
    served()
  }

  /// Serves acknowledgements that have come, waiting up to `timeoutMs` for the first.
  package func poll(timeoutMs: Int32) {
    rd_kafka_poll(handle, timeoutMs)
  }

  /// Waits until everything sent is acknowledged or given up; false when `timeoutMs` was too short for that.
  package func flush(timeoutMs: Int32) -> Bool {
    rd_kafka_flush(handle, timeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR
  }

  private func served() {
    sinceLastPoll += 1
    if sinceLastPoll >= 1000 {
      sinceLastPoll = 0
      poll(timeoutMs: 0)
    }
  }

  private func waitForRoom(_ reason: rd_kafka_resp_err_t) throws(ClientError) {
    guard reason == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
      throw .library(operation: "sending a record", reason: callbacks.health.fatal ?? sentence(reason))
    }
    poll(timeoutMs: 50)
  }

  private func topicHandle(_ name: String) throws(ClientError) -> OpaquePointer {
    if let lastTopic, lastTopic.name == name { return lastTopic.handle }
    if let known = topics[name] {
      lastTopic = (name, known)
      return known
    }
    guard let made = rd_kafka_topic_new(handle, name, nil) else {
      throw .library(operation: "opening topic \(name)", reason: sentence(rd_kafka_last_error()))
    }
    topics[name] = made
    lastTopic = (name, made)
    return made
  }

  /// An address also for no bytes, so that empty and null differ.
  private static func pointer(_ bytes: UnsafeRawBufferPointer?) -> UnsafeRawPointer? {
    guard let bytes else { return nil }
    return bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
  }

  private static func headerList(_ headers: [(name: String, value: [UInt8]?)]) -> OpaquePointer? {
    guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
    for (name, value) in headers {
      if let value {
        value.withUnsafeBytes { _ = rd_kafka_header_add(list, name, -1, pointer($0), value.count) }
      } else {
        rd_kafka_header_add(list, name, -1, nil, 0)
      }
    }
    return list
  }
}

/// The producer's side of librdkafka's delivery reports.
private final class ProducerCallbacks: ClientCallbacks {
  var tally = DeliveryTally()

  func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
    if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
      tally.delivered &+= 1
      tally.deliveredBytes &+= message.pointee.len &+ message.pointee.key_len
      health.allBrokersDown = false
    } else {
      tally.recordFailure(sentence(message.pointee.err))
    }
  }
}
