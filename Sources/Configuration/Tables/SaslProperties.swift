/// SASL. Only PLAINTEXT listeners can be opened yet, so none of these has an effect.
enum SaslProperties {
  static let rows: [BrokerProperty] = mechanisms + oauth

  private static let mechanisms: [BrokerProperty] = [
    dynamic("sasl.enabled.mechanisms", .list, "GSSAPI", "The mechanisms that are offered."),
    dynamic("sasl.jaas.config", .password, nil, "The login module and its options."),
    dynamic("sasl.kerberos.kinit.cmd", .string, "/usr/bin/kinit", "The kinit program."),
    dynamic("sasl.kerberos.min.time.before.relogin", .long, "60000", "The least time between two logins."),
    dynamic("sasl.kerberos.principal.to.local.rules", .list, "DEFAULT", "How principals become short names."),
    dynamic("sasl.kerberos.service.name", .string, nil, "The Kerberos name of the brokers."),
    dynamic("sasl.kerberos.ticket.renew.jitter", .double, "0.05", "The share of chance in the time of renewal."),
    dynamic("sasl.kerberos.ticket.renew.window.factor", .double, "0.8", "When in its life a ticket is renewed."),
    .echo("sasl.client.callback.handler.class", .class, nil, "A Java class for the broker's own logins."),
    .echo("sasl.login.callback.handler.class", .class, nil, "A Java class that handles logins."),
    .echo("sasl.login.class", .class, nil, "The Java class of logins."),
    .echo("sasl.login.connect.timeout.ms", .int, nil, "How long to wait for the login server's connection."),
    .echo("sasl.login.read.timeout.ms", .int, nil, "How long to wait for the login server's answer."),
    dynamic("sasl.login.refresh.buffer.seconds", .short, "300", "How long before its end a login is renewed."),
    dynamic("sasl.login.refresh.min.period.seconds", .short, "60", "The least time between two renewals."),
    dynamic("sasl.login.refresh.window.factor", .double, "0.8", "When in its life a login is renewed."),
    dynamic("sasl.login.refresh.window.jitter", .double, "0.05", "The share of chance in that time."),
    .echo("sasl.login.retry.backoff.max.ms", .long, "10000", "The longest pause between tries to log in."),
    .echo("sasl.login.retry.backoff.ms", .long, "100", "The first pause between tries to log in."),
    .echo("sasl.mechanism.controller.protocol", .string, "GSSAPI", "The mechanism towards controllers."),
    dynamic("sasl.mechanism.inter.broker.protocol", .string, "GSSAPI", "The mechanism between brokers."),
    .echo("sasl.server.callback.handler.class", .class, nil, "A Java class that checks logins."),
    .echo("sasl.server.max.receive.size", .int, "524288", "The largest message during a login."),
  ]

  private static let oauth: [BrokerProperty] = [
    .echo("sasl.oauthbearer.clock.skew.seconds", .int, "30", "How far clocks may differ."),
    .echo("sasl.oauthbearer.expected.audience", .list, nil, "The audience that tokens must name."),
    .echo("sasl.oauthbearer.expected.issuer", .string, nil, "The issuer that tokens must name."),
    .echo("sasl.oauthbearer.jwks.endpoint.refresh.ms", .long, "3600000", "How often keys are fetched again."),
    .echo(
      "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", .long, "10000",
      "The longest pause between tries to fetch keys."),
    .echo(
      "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", .long, "100",
      "The first pause between tries to fetch keys."),
    .echo("sasl.oauthbearer.jwks.endpoint.url", .string, nil, "Where the keys are."),
    .echo("sasl.oauthbearer.scope.claim.name", .string, "scope", "The claim that holds the scope."),
    .echo("sasl.oauthbearer.sub.claim.name", .string, "sub", "The claim that holds the subject."),
    .echo("sasl.oauthbearer.token.endpoint.url", .string, nil, "Where tokens are issued."),
  ]

  private static func dynamic(
    _ name: String, _ type: ConfigType, _ defaultValue: String?, _ documentation: String
  ) -> BrokerProperty {
    BrokerProperty.echo(name, type, defaultValue, documentation).perBroker()
  }
}
