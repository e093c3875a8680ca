internal import CLibrdkafka

/// What librdkafka's callbacks reach through the one opaque pointer of a client. The client's thread keeps it alive.
final class ClientEvents: Sendable {
  typealias PartitionList = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  let health: ClientHealth
  let onStatistics: (@Sendable (Statistics) -> Void)?
  /// A producer's record has come to its end.
  let onDelivery: (@Sendable (UnsafePointer<rd_kafka_message_t>) -> Void)?
  /// A group gives partitions to this consumer, or takes them away.
  let onRebalance: (@Sendable (_ client: OpaquePointer, rd_kafka_resp_err_t, PartitionList?) -> Void)?

  init(
    health: ClientHealth, onStatistics: (@Sendable (Statistics) -> Void)?,
    onDelivery: (@Sendable (UnsafePointer<rd_kafka_message_t>) -> Void)? = nil,
    onRebalance: (@Sendable (OpaquePointer, rd_kafka_resp_err_t, PartitionList?) -> Void)? = nil
  ) {
    self.health = health
    self.onStatistics = onStatistics
    self.onDelivery = onDelivery
    self.onRebalance = onRebalance
  }

  private static func events(_ opaque: UnsafeMutableRawPointer?) -> ClientEvents? {
    opaque.map { Unmanaged<ClientEvents>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Has `configuration` report to this object, to which it holds no reference.
  func watch(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
    ottla_rdkafka_silence(configuration)
    rd_kafka_conf_set_error_cb(configuration) { client, code, reason, opaque in
      let text = reason.map { String(cString: $0) } ?? ""
      ClientEvents.events(opaque)?.health.note(rd_kafka_resp_err_t(code), text, client: client)
    }
    if onStatistics != nil {
      rd_kafka_conf_set_stats_cb(configuration) { _, json, length, opaque in
        let bytes = UnsafeRawBufferPointer(start: json, count: json == nil ? 0 : length)
        ClientEvents.events(opaque)?.onStatistics?(Statistics(json: String(decoding: bytes, as: UTF8.self)))
        return 0
      }
    }
    if onDelivery != nil {
      rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
        if let message { ClientEvents.events(opaque)?.onDelivery?(message) }
      }
    }
    if onRebalance != nil {
      rd_kafka_conf_set_rebalance_cb(configuration) { client, code, partitions, opaque in
        if let client { ClientEvents.events(opaque)?.onRebalance?(client, code, partitions) }
      }
    }
  }
}

/// librdkafka's statistics, every `statisticsIntervalMs`: counters of brokers, topics, partitions and the group.
public struct Statistics: Sendable {
  /// All of it as JSON, as librdkafka's STATISTICS.md describes it.
  public let json: String
}
