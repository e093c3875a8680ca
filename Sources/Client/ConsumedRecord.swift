internal import CLibrdkafka

/// A record as it lies in librdkafka's memory: good only while the closure that got it runs.
package struct ConsumedRecord {
  /// The topic it came from.
  package let topic: String
  private let message: UnsafeMutablePointer<rd_kafka_message_t>

  init(topic: String, message: UnsafeMutablePointer<rd_kafka_message_t>) {
    self.topic = topic
    self.message = message
  }

  package var partition: Int32 { message.pointee.partition }
  package var offset: Int64 { message.pointee.offset }
  /// nil for a record without a key.
  package var key: UnsafeRawBufferPointer? {
    message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
  }
  /// nil for a tombstone.
  package var value: UnsafeRawBufferPointer? {
    message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
  }
  /// Milliseconds since 1970, set by the producer or by the broker; -1 for none.
  package var timestamp: Int64 {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    return rd_kafka_message_timestamp(message, &kind)
  }

  /// Calls `body` with the name and the value of each header, in order.
  package func forEachHeader(_ body: (_ name: String, _ value: UnsafeRawBufferPointer?) -> Void) {
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return }
    var index = 0
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var byteCount = 0
    while rd_kafka_header_get_all(list, index, &name, &value, &byteCount) == RD_KAFKA_RESP_ERR_NO_ERROR {
      let bytes = value.map { UnsafeRawBufferPointer(start: $0, count: byteCount) }
      body(name.map { String(cString: $0) } ?? "", bytes)
      index += 1
    }
  }
}
