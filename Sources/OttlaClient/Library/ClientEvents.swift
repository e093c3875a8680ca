internal import CLibrdkafka

/// What librdkafka's callbacks reach through the one opaque pointer of a client. The client's thread keeps it alive.
final class ClientEvents: Sendable {
  typealias PartitionList = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  let health: ClientHealth
  let onStatistics: (@Sendable (Statistics) -> Void)?
  /// A group gives partitions to this consumer, or takes them away.
  let onRebalance: (@Sendable (_ client: OpaquePointer, rd_kafka_resp_err_t, PartitionList?) -> Void)?

  init(
    health: ClientHealth, onStatistics: (@Sendable (Statistics) -> Void)?,
    onRebalance: (@Sendable (OpaquePointer, rd_kafka_resp_err_t, PartitionList?) -> Void)? = nil
  ) {
    self.health = health
    self.onStatistics = onStatistics
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
    if onRebalance != nil {
      rd_kafka_conf_set_rebalance_cb(configuration) { client, code, partitions, opaque in
        if let client { ClientEvents.events(opaque)?.onRebalance?(client, code, partitions) }
      }
    }
  }
}

extension ClientEvents {
  /// Serves an event of a client whose queue is polled for events, and destroys it: callbacks are not called there.
  func serve(_ event: OpaquePointer, _ client: OpaquePointer) {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_ERROR:
      let reason = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? ""
      health.note(rd_kafka_event_error(event), reason, client: client)
    case RD_KAFKA_EVENT_STATS:
      if let json = rd_kafka_event_stats(event) { onStatistics?(Statistics(json: String(cString: json))) }
    default: break
    }
    rd_kafka_event_destroy(event)
  }
}

/// librdkafka's statistics, every `statisticsIntervalMs`: counters of brokers, topics, partitions and the group.
///
/// ```swift
/// import Foundation
///
/// struct Totals: Decodable { let msg_cnt: Int, txmsgs: Int }
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.statisticsIntervalMs = 60_000
/// configuration.onStatistics = { statistics in
///   guard let totals = try? JSONDecoder().decode(Totals.self, from: Data(statistics.json.utf8)) else { return }
///   print("\(totals.msg_cnt) records have no answer yet, \(totals.txmsgs) were sent")
/// }
/// ```
public struct Statistics: Sendable {
  /// All of it as JSON, as librdkafka's STATISTICS.md describes it.
  public let json: String
}
