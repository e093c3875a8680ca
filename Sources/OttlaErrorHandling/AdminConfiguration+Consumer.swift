internal import OttlaClient

extension AdminConfiguration {
  /// Administration of the cluster that a consumer reads from, with the consumer's name and login.
  ///
  /// - Throws: `.illegalState` where the consumer's security is in properties of librdkafka's, which administration does not have.
  init(like consumer: ConsumerConfiguration, for purpose: String) throws(ClientError) {
    if let property = consumer.other.keys.sorted().first(where: Self.isSecurity) {
      throw .illegalState(
        reason: "\(purpose) takes the consumer's security, not librdkafka's properties, and \(property) is one: "
          + "use 'security', which has TLS, PLAIN and SCRAM")
    }
    self.init(bootstrapServers: consumer.bootstrapServers)
    clientId = consumer.clientId
    security = consumer.security
  }

  private static func isSecurity(_ property: String) -> Bool {
    property == "security.protocol"
      || ["ssl.", "sasl.", "enable.ssl", "enable.sasl"].contains { property.hasPrefix($0) }
  }
}
