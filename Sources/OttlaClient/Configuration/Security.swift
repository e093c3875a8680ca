internal import Client

/// How a client speaks to the brokers: `security.protocol`, with what each needs.
///
/// ```swift
/// configuration.security = .saslTLS(.scramSHA256(username: "orders", password: secret), TLS())
/// ```
///
/// From a laptop to production:
///
/// ```swift
/// func security(in environment: String) -> Security {
///   switch environment {
///   case "laptop": .plaintext
///   case "lab": .saslPlaintext(.scramSHA256(username: "orders", password: secret))  // hides the password alone
///   case "partners":
///     // The certificate is the login.
///     .tls(TLS(certificateLocation: "/etc/ssl/orders.pem", keyLocation: "/etc/ssl/orders.key"))
///   default: .saslTLS(.scramSHA512(username: "orders", password: secret), TLS(caLocation: "/etc/ssl/cluster.pem"))
///   }
/// }
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

/// The same for the connections of administration, which are not librdkafka's.
extension Security {
  var connection: ConnectionSecurity {
    switch self {
    case .plaintext: ConnectionSecurity()
    case .tls(let tls): ConnectionSecurity(tls: tls.settings)
    case .saslPlaintext(let sasl): ConnectionSecurity(login: sasl.login)
    case .saslTLS(let sasl, let tls): ConnectionSecurity(tls: tls.settings, login: sasl.login)
    }
  }
}

/// Whom to trust, and with which certificate to appear: librdkafka's `ssl.*`.
///
/// ```swift
/// var tls = TLS(caLocation: "/etc/ssl/company-ca.pem")  // the brokers' certificates are signed by the company
/// tls.certificateLocation = "/etc/ssl/orders.pem"  // and so is this program's own
/// tls.keyLocation = "/etc/ssl/orders.key"
/// tls.keyPassword = secret
/// tls.verifiesHostName = false  // only where brokers are dialled by addresses that their certificates do not name
/// configuration.security = .tls(tls)
/// ```
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

  fileprivate var settings: TLSSettings {
    TLSSettings(
      caLocation: caLocation, certificateLocation: certificateLocation, keyLocation: keyLocation,
      keyPassword: keyPassword, verifiesHostName: verifiesHostName)
  }

  func add(to list: inout PropertyList) {
    list.set("ssl.ca.location", caLocation)
    list.set("ssl.certificate.location", certificateLocation)
    list.set("ssl.key.location", keyLocation)
    list.set("ssl.key.password", keyPassword)
    list.set("ssl.endpoint.identification.algorithm", verifiesHostName ? "https" : "none")
  }
}

/// A login: `sasl.mechanism` with its credentials. Kerberos and OAuth are set through `other`, and not offered by
/// `AdminClient`.
///
/// ```swift
/// func login(_ mechanism: String) throws(ClientError) -> SASL {
///   switch mechanism {
///   case "SCRAM-SHA-512": return .scramSHA512(username: "orders", password: secret)
///   case "SCRAM-SHA-256": return .scramSHA256(username: "orders", password: secret)
///   case "PLAIN": return .plain(username: "orders", password: secret)  // over TLS only: it sends the password
///   default:
///     throw .invalidValue(property: "sasl.mechanism", value: mechanism, reason: "this program knows PLAIN and SCRAM")
///   }
/// }
/// configuration.security = .saslTLS(try login("SCRAM-SHA-512"), TLS())
/// ```
public enum SASL: Sendable {
  /// Name and password as they are (RFC 4616).
  case plain(username: String, password: String)
  /// Proof of the password without sending it (RFC 5802).
  case scramSHA256(username: String, password: String)
  /// The same with SHA-512.
  case scramSHA512(username: String, password: String)

  fileprivate var login: SASLLogin {
    switch self {
    case .plain(let username, let password): SASLLogin(.plain, username: username, password: password)
    case .scramSHA256(let username, let password): SASLLogin(.scramSHA256, username: username, password: password)
    case .scramSHA512(let username, let password): SASLLogin(.scramSHA512, username: username, password: password)
    }
  }

  func add(to list: inout PropertyList) {
    list.set("sasl.mechanism", login.mechanism.rawValue)
    list.set("sasl.username", login.username)
    list.set("sasl.password", login.password)
  }
}
