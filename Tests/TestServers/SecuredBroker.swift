internal import Foundation
package import OttlaClient

/// A broker behind a listener with TLS, a login, or both. Certificates are made for the test, for the name `localhost`.
package final class SecuredBroker: Sendable {
  /// What the listener asks for.
  package struct Demands: Sendable {
    /// Nil: no TLS.
    package var tls: TestCertificates?
    /// Whether clients must have a certificate.
    package var wantsClientCertificate = false
    /// Nil: no login.
    package var login: (mechanism: String, username: String, password: String)?
    /// After so many milliseconds a login is over; 0 for never.
    package var loginLifetimeMs = 0

    package init() {}
  }

  private let listener: GuardedProcess
  private let folder: String
  /// Behind the listener; its own address asks for nothing.
  package let broker: TestBroker
  package let bootstrapServers: String

  package init(_ demands: Demands) async throws {
    folder = try temporaryFolder("secured")
    var words = ["python3", #filePath.replacing("SecuredBroker.swift", with: "secured_listener.py")]
    words += ["\(folder)/port", "\(folder)/target"]
    if let tls = demands.tls { words += ["--tls", tls.server.certificate, tls.server.key] }
    if let tls = demands.tls, demands.wantsClientCertificate { words += ["--client-ca", tls.authority] }
    if let login = demands.login { words += ["--sasl", login.mechanism, login.username, login.password] }
    words += ["--lifetime", "\(demands.loginLifetimeMs)"]
    listener = try GuardedProcess(words, output: "\(folder)/output", folder: folder)
    var port: String?
    for _ in 0..<1000 where port == nil {
      port = try? String(contentsOfFile: "\(folder)/port", encoding: .utf8)
      if port == nil { try await Task.sleep(for: .milliseconds(20)) }
    }
    guard let port else { throw TestBroker.CannotStart(reason: "the secured listener did not get ready") }
    bootstrapServers = "localhost:\(port)"
    broker = try TestBroker(settings: ["advertised.listeners=PLAINTEXT://localhost:\(port)"])
    let target = broker.bootstrapServers.split(separator: ":").last.map(String.init) ?? ""
    try target.write(toFile: "\(folder)/target", atomically: true, encoding: .utf8)
  }

  deinit {
    listener.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// How many logins have succeeded.
  package var loginCount: Int {
    let text = (try? String(contentsOfFile: "\(folder)/output", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.hasPrefix("login ") }.count
  }

  /// An administrator that comes with `security`.
  package func admin(_ security: Security) throws -> AdminClient {
    var configuration = AdminConfiguration(bootstrapServers: bootstrapServers)
    configuration.security = security
    return try AdminClient(configuration)
  }
}

/// Certificates of an authority that nobody else trusts: a server's for `localhost`, and a client's whose key has a passphrase.
package final class TestCertificates: Sendable {
  package struct Pair: Sendable {
    package let certificate: String
    package let key: String
  }
  package static let passphrase = "open sesame"

  private let folder: String
  /// The authority's certificate.
  package let authority: String
  package let server: Pair
  package let client: Pair

  /// - Parameter host: for whom the server's certificate is.
  package init(host: String = "localhost") async throws {
    let folder = try temporaryFolder("certificates")
    self.folder = folder
    authority = "\(folder)/ca.pem"
    server = Pair(certificate: "\(folder)/server.pem", key: "\(folder)/server-key.pem")
    client = Pair(certificate: "\(folder)/client.pem", key: "\(folder)/client-key.pem")
    let script = #"""
      set -e; cd "$1"
      new() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj "/CN=$1" -keyout "$2-key.pem" "${@:3}"; }
      new "a test's authority" ca -x509 -noenc -days 2 -out ca.pem
      new "$2" server -noenc -out server.csr -addext "subjectAltName=DNS:$2"
      new "a client" client -passout "pass:$3" -out client.csr
      for name in server client; do
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -copy_extensions copy -out $name.pem
      done
      """#
    let outcome = try await runCommand(["bash", "-c", script, "certificates", folder, host, Self.passphrase])
    guard outcome.status == 0 else { throw TestBroker.CannotStart(reason: "openssl: \(outcome.output)") }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
