/// Who may do what.
enum SecurityProperties {
  static let rows: [BrokerProperty] = [
    .text(
      "authorizer.class.name", .string, "", .unsupported("authorization is not supported yet"),
      "The Java class that decides who may do what."),
    .echo("super.users", .string, nil, "The principals that may do everything."),
    .echo(
      "allow.everyone.if.no.acl.found", .boolean, "false", "Whether what has no access rule is open to everyone."),
    .echo("connection.failed.authentication.delay.ms", .int, "100", "The pause before a failed login is answered."),
    .echo("connections.max.reauth.ms", .long, "0", "How long a login is good; 0 for ever."),
    .echo("delegation.token.expiry.check.interval.ms", .long, "3600000", "How often expired tokens are removed."),
    .echo("delegation.token.expiry.time.ms", .long, "86400000", "How long a token is good without renewal."),
    .echo("delegation.token.max.lifetime.ms", .long, "604800000", "The longest life of a token."),
    .echo("delegation.token.secret.key", .password, nil, "The key that signs tokens."),
    BrokerProperty.echo(
      "principal.builder.class", .class,
      "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
      "The Java class that makes principals of connections."
    ).perBroker(),
    .echo("security.providers", .string, nil, "Java security providers."),
  ]
}
