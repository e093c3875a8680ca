internal import CLibrdkafka

/// What librdkafka's error callback told last. Written and read on the thread that polls.
final class ClientHealth {
  /// Set while no broker can be reached; cleared by the owner when something arrives again.
  var allBrokersDown = false
  /// An error after which the client can do nothing more.
  var fatal: String?
  /// The last complaint, for a sentence to show when nothing works.
  var lastReason = ""

  /// Has `configuration` report to this object, which must outlive the client.
  func watch(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_error_cb(configuration) { handle, code, reason, opaque in
      guard let opaque else { return }
      let health = Unmanaged<ClientCallbacks>.fromOpaque(opaque).takeUnretainedValue().health
      let text = reason.map { String(cString: $0) } ?? ""
      let error = rd_kafka_resp_err_t(code)
      if error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN {
        health.allBrokersDown = true
      } else if error == RD_KAFKA_RESP_ERR__FATAL {
        var why = [CChar](repeating: 0, count: 512)
        rd_kafka_fatal_error(handle, &why, why.count)
        health.fatal = String(decoding: why.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      } else {
        health.lastReason = text
      }
    }
  }
}

/// What librdkafka's callbacks reach through the one opaque pointer of a client.
class ClientCallbacks {
  let health = ClientHealth()

  /// The pointer to give to rd_kafka_conf_set_opaque. It holds no reference: the owner keeps the object alive.
  var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}
