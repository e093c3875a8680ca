/// TLS. Only PLAINTEXT listeners can be opened yet, so none of these has an effect.
enum TLSProperties {
  static let rows: [BrokerProperty] = [
    .echo("ssl.allow.dn.changes", .boolean, "false", "Whether a new certificate may bear another name."),
    .echo("ssl.allow.san.changes", .boolean, "false", "Whether it may bear other alternative names."),
    dynamic("ssl.cipher.suites", .list, "", "The cipher suites that are offered."),
    dynamic("ssl.client.auth", .string, "none", "Whether clients must show certificates."),
    dynamic("ssl.enabled.protocols", .list, "TLSv1.2,TLSv1.3", "The versions of TLS that are offered."),
    dynamic("ssl.endpoint.identification.algorithm", .string, "https", "How a server's name is checked."),
    dynamic("ssl.engine.factory.class", .class, nil, "The Java class that makes TLS engines."),
    dynamic("ssl.key.password", .password, nil, "The password of the private key."),
    dynamic("ssl.keymanager.algorithm", .string, "SunX509", "Java's key manager."),
    dynamic("ssl.keystore.certificate.chain", .password, nil, "The certificates, as text."),
    dynamic("ssl.keystore.key", .password, nil, "The private key, as text."),
    dynamic("ssl.keystore.location", .string, nil, "The file of the private key."),
    dynamic("ssl.keystore.password", .password, nil, "The password of that file."),
    dynamic("ssl.keystore.type", .string, "JKS", "The kind of that file."),
    .echo("ssl.principal.mapping.rules", .string, "DEFAULT", "How certificate names become principals."),
    dynamic("ssl.protocol", .string, "TLSv1.3", "The version of TLS that is preferred."),
    dynamic("ssl.provider", .string, nil, "The Java security provider."),
    dynamic("ssl.secure.random.implementation", .string, nil, "Java's source of random numbers."),
    dynamic("ssl.trustmanager.algorithm", .string, "PKIX", "Java's trust manager."),
    dynamic("ssl.truststore.certificates", .password, nil, "The trusted certificates, as text."),
    dynamic("ssl.truststore.location", .string, nil, "The file of trusted certificates."),
    dynamic("ssl.truststore.password", .password, nil, "The password of that file."),
    dynamic("ssl.truststore.type", .string, "JKS", "The kind of that file."),
  ]

  private static func dynamic(
    _ name: String, _ type: ConfigType, _ defaultValue: String?, _ documentation: String
  ) -> BrokerProperty {
    BrokerProperty.echo(name, type, defaultValue, documentation).perBroker()
  }
}
