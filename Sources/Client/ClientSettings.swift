internal import CLibrdkafka

/// What a producer or a consumer is started with: where brokers are, and librdkafka's own properties by name.
package struct ClientSettings: Sendable {
  package var bootstrap: [BrokerAddress]
  /// librdkafka property names and values, set in this order; the last one of a name wins.
  package var properties: [(name: String, value: String)]

  package init(bootstrap: [BrokerAddress], properties: [(name: String, value: String)] = []) {
    self.bootstrap = bootstrap
    self.properties = properties
  }

  /// librdkafka's configuration object with everything in it; the caller owns it until rd_kafka_new took it.
  func makeConfiguration(defaults: [(name: String, value: String)]) throws(ClientError) -> OpaquePointer {
    guard let configuration = rd_kafka_conf_new() else {
      throw .library(operation: "starting the client", reason: "out of memory")
    }
    ottla_rdkafka_silence(configuration)
    let servers = bootstrap.map(\.description).joined(separator: ",")
    let common = [("client.id", "ottla"), ("log.connection.close", "false")]
    for (name, value) in common + defaults + properties + [("bootstrap.servers", servers)] {
      var reason = [CChar](repeating: 0, count: 512)
      guard rd_kafka_conf_set(configuration, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK else {
        rd_kafka_conf_destroy(configuration)
        throw .library(operation: "setting \(name)=\(value)", reason: Self.text(reason))
      }
    }
    return configuration
  }

  /// Makes the client handle of `configuration`, which it uses up in any case.
  static func makeHandle(
    _ kind: rd_kafka_type_t, _ configuration: OpaquePointer
  ) throws(ClientError) -> OpaquePointer {
    var reason = [CChar](repeating: 0, count: 512)
    guard let handle = rd_kafka_new(kind, configuration, &reason, reason.count) else {
      rd_kafka_conf_destroy(configuration)
      throw .library(operation: "starting the client", reason: text(reason))
    }
    return handle
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What librdkafka says of an error code, as a sentence without the code.
func sentence(_ code: rd_kafka_resp_err_t) -> String {
  guard let text = rd_kafka_err2str(code) else { return "error \(code.rawValue)" }
  return String(cString: text)
}
