import OttlaClient
import TestServers
import Testing

/// TLS and logins, of all three clients, against a listener that asks for them.
@Suite struct SecurityTests {
  private static let password = "pen,cil=€"

  private func login(_ mechanism: String, _ password: String = SecurityTests.password) -> SASL {
    switch mechanism {
    case "PLAIN": .plain(username: "us,er=1", password: password)
    case "SCRAM-SHA-256": .scramSHA256(username: "us,er=1", password: password)
    default: .scramSHA512(username: "us,er=1", password: password)
    }
  }

  private func demands(_ mechanism: String?, _ tls: TestCertificates?) -> SecuredBroker.Demands {
    var demands = SecuredBroker.Demands()
    demands.tls = tls
    demands.login = mechanism.map { ($0, "us,er=1", Self.password) }
    return demands
  }

  /// Makes a topic, sends to it, reads it and looks at it, all with `security`.
  private func useEverything(_ broker: SecuredBroker, _ security: Security) async throws {
    let admin = try broker.admin(security)
    try await admin.createTopic("t", partitions: 2)
    var producing = ProducerConfiguration(bootstrapServers: broker.bootstrapServers)
    producing.security = security
    let report = try await withProducer(producing) { producer in
      try await producer.send(ProducerRecord(topic: "t", partition: 1, value: "v"))
    }
    #expect(report.offset == 0)
    var consuming = ConsumerConfiguration(bootstrapServers: broker.bootstrapServers, groupId: "g")
    consuming.security = security
    consuming.autoOffsetReset = .earliest
    let consumer = try Consumer(consuming)
    try await consumer.subscribe(to: ["t"])
    let record = try #require(try await take(1, from: consumer).first)
    #expect(record.valueText == "v")
    try await consumer.commit(record)
    try await consumer.close()
    // Calls that librdkafka 2.0.2 has, and such that it has not.
    #expect(try await admin.committedOffsets(of: "g")[TopicPartition("t", 1)] == 1)
    try await admin.alterConfigs(.topic("t"), set: ["retention.ms": "1000"])
    #expect(try await admin.electLeaders(.preferred, of: [TopicPartition("t", 0)]) == [:])
    await admin.disconnect()
    #expect(try await admin.listTopics() == ["t"])
  }

  @Test func overTLS() async throws {
    let certificates = try await TestCertificates()
    let broker = try await SecuredBroker(demands(nil, certificates))
    try await useEverything(broker, .tls(TLS(caLocation: certificates.authority)))
  }

  @Test func withACertificateWhoseKeyHasAPassphrase() async throws {
    let certificates = try await TestCertificates()
    var demands = demands(nil, certificates)
    demands.wantsClientCertificate = true
    let broker = try await SecuredBroker(demands)
    var tls = TLS(
      caLocation: certificates.authority, certificateLocation: certificates.client.certificate,
      keyLocation: certificates.client.key, keyPassword: TestCertificates.passphrase)
    try await useEverything(broker, .tls(tls))
    tls.keyPassword = "open barley"
    await #expect {
      try await broker.admin(.tls(tls)).listTopics()
    } throws: { "\($0)".contains("client-key.pem; is its passphrase right?") }
    // Without one it does not ask the terminal.
    tls.keyPassword = nil
    await #expect {
      try await broker.admin(.tls(tls)).listTopics()
    } throws: { "\($0)".contains("client-key.pem; is its passphrase right?") }
    let stranger = try broker.admin(.tls(TLS(caLocation: certificates.authority)))
    await #expect {
      try await stranger.listTopics()
    } throws: {
      guard case .tlsFailed(let reason) = $0 as? ClientError else { return false }
      return reason.contains("certificate required")
    }
  }

  @Test(arguments: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
  func withALogin(_ mechanism: String) async throws {
    let broker = try await SecuredBroker(demands(mechanism, nil))
    try await useEverything(broker, .saslPlaintext(login(mechanism)))
    await #expect {
      try await broker.admin(.saslPlaintext(login(mechanism, "pencil"))).listTopics()
    } throws: {
      guard case .authenticationFailed(let reason) = $0 as? ClientError else { return false }
      return reason.hasPrefix("wrong ") && ($0 as? ClientError)?.code == 58
    }
    let other = mechanism == "PLAIN" ? "SCRAM-SHA-256" : "PLAIN"
    await #expect {
      try await broker.admin(.saslPlaintext(login(other))).listTopics()
    } throws: {
      "\($0)".contains("it does not offer \(other), but \(mechanism)")
    }
  }

  @Test func withALoginOverTLS() async throws {
    let certificates = try await TestCertificates()
    let broker = try await SecuredBroker(demands("SCRAM-SHA-512", certificates))
    let tls = TLS(caLocation: certificates.authority)
    try await useEverything(broker, .saslTLS(login("SCRAM-SHA-512"), tls))
  }

  @Test func aBrokerThatCannotBeTrustedIsNot() async throws {
    let certificates = try await TestCertificates(host: "broker.example")
    let broker = try await SecuredBroker(demands(nil, certificates))
    var tls = TLS(caLocation: certificates.authority)
    func reason() async -> String {
      do {
        _ = try await broker.admin(.tls(tls)).listTopics()
        return "none"
      } catch {
        guard case .tlsFailed(let reason) = error as? ClientError else { return "\(error)" }
        return reason
      }
    }
    #expect(await reason().contains("its certificate is not trusted: hostname mismatch"))
    tls.verifiesHostName = false
    #expect(await reason() == "none")
    tls.caLocation = nil
    #expect(await reason().contains("its certificate is not trusted: unable to get local issuer certificate"))
    tls.caLocation = "/nowhere.pem"
    #expect(await reason().contains("reading the certificates to trust in /nowhere.pem"))
    let plain = AdminConfiguration(bootstrapServers: broker.broker.bootstrapServers)
    var wrong = plain
    wrong.security = .tls(TLS(caLocation: certificates.authority))
    await #expect {
      try await AdminClient(wrong).listTopics()
    } throws: { "\($0)".contains("does it speak TLS on this port?") }
  }

  /// KIP-368: a login that is over is renewed before the broker closes the connection.
  @Test func aLoginIsRenewedInTime() async throws {
    var demands = demands("SCRAM-SHA-256", nil)
    demands.loginLifetimeMs = 200
    let broker = try await SecuredBroker(demands)
    let admin = try broker.admin(.saslPlaintext(login("SCRAM-SHA-256")))
    #expect(try await admin.listTopics() == [])
    let before = broker.loginCount
    try await Task.sleep(for: .milliseconds(250))
    #expect(try await admin.listTopics() == [])
    #expect(broker.loginCount == before + 1)
  }
}
