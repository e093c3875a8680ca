/// How a client speaks to the brokers: `security.protocol`, with what each needs.
///
/// ```swift
/// configuration.security = .saslTLS(.scramSHA256(username: "orders", password: secret), TLS())
/// ```
public enum Security: Sendable {
  /// Neither encrypted nor authenticated.
  case plaintext
  /// Encrypted; authenticated where `TLS` names a certificate of the client's own.
  case tls(TLS)
  /// Authenticated, not encrypted: the password of `.plain` goes over the wire as it is.
  case saslPlaintext(SASL)
  /// Encrypted and authenticated.
  case saslTLS(SASL, TLS)

  func add(to list: inout PropertyList) {
    switch self {
    case .plaintext: list.set("security.protocol", "plaintext")
    case .tls(let tls):
      list.set("security.protocol", "ssl")
      tls.add(to: &list)
    case .saslPlaintext(let sasl):
      list.set("security.protocol", "sasl_plaintext")
      sasl.add(to: &list)
    case .saslTLS(let sasl, let tls):
      list.set("security.protocol", "sasl_ssl")
      sasl.add(to: &list)
      tls.add(to: &list)
    }
  }
}

/// Whom to trust, and with which certificate to appear: librdkafka's `ssl.*`.
public struct TLS: Sendable {
  /// A file of PEM certificates to trust (`ssl.ca.location`); the system's where nil.
  public var caLocation: String?
  /// The client's own certificate in PEM (`ssl.certificate.location`).
  public var certificateLocation: String?
  /// Its private key in PEM (`ssl.key.location`).
  public var keyLocation: String?
  /// The private key's passphrase (`ssl.key.password`).
  public var keyPassword: String?
  /// Whether the certificate must be for the host that was dialled (`ssl.endpoint.identification.algorithm`).
  public var verifiesHostName = true

  /// The system's certificates, no certificate of the client's own, host names verified.
  public init(
    caLocation: String? = nil, certificateLocation: String? = nil, keyLocation: String? = nil,
    keyPassword: String? = nil, verifiesHostName: Bool = true
  ) {
    self.caLocation = caLocation
    self.certificateLocation = certificateLocation
    self.keyLocation = keyLocation
    self.keyPassword = keyPassword
    self.verifiesHostName = verifiesHostName
  }

  func add(to list: inout PropertyList) {
    list.set("ssl.ca.location", caLocation)
    list.set("ssl.certificate.location", certificateLocation)
    list.set("ssl.key.location", keyLocation)
    list.set("ssl.key.password", keyPassword)
    list.set("ssl.endpoint.identification.algorithm", verifiesHostName ? "https" : "none")
  }
}

/// A login: `sasl.mechanism` with its credentials. Kerberos and OAuth are set through `other`.
public enum SASL: Sendable {
  /// Name and password as they are (RFC 4616).
  case plain(username: String, password: String)
  /// Proof of the password without sending it (RFC 5802).
  case scramSHA256(username: String, password: String)
  /// The same with SHA-512.
  case scramSHA512(username: String, password: String)

  func add(to list: inout PropertyList) {
    let mechanism: String
    let login: (username: String, password: String)
    switch self {
    case .plain(let username, let password): (mechanism, login) = ("PLAIN", (username, password))
    case .scramSHA256(let username, let password): (mechanism, login) = ("SCRAM-SHA-256", (username, password))
    case .scramSHA512(let username, let password): (mechanism, login) = ("SCRAM-SHA-512", (username, password))
    }
    list.set("sasl.mechanism", mechanism)
    list.set("sasl.username", login.username)
    list.set("sasl.password", login.password)
  }
}
