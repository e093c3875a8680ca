/// How a connection for administration is kept from others: encryption, a login, both or neither.
package struct ConnectionSecurity: Sendable {
  /// Nil: not encrypted.
  package var tls: TLSSettings?
  /// Nil: no login, unless the certificate is one.
  package var login: SASLLogin?

  package init(tls: TLSSettings? = nil, login: SASLLogin? = nil) {
    self.tls = tls
    self.login = login
  }
}

/// Whom to trust, and with which certificate to appear. Files are PEM.
package struct TLSSettings: Sendable {
  /// Certificates to trust; the system's where nil.
  package var caLocation: String?
  package var certificateLocation: String?
  package var keyLocation: String?
  package var keyPassword: String?
  package var verifiesHostName: Bool

  package init(
    caLocation: String? = nil, certificateLocation: String? = nil, keyLocation: String? = nil,
    keyPassword: String? = nil, verifiesHostName: Bool = true
  ) {
    self.caLocation = caLocation
    self.certificateLocation = certificateLocation
    self.keyLocation = keyLocation
    self.keyPassword = keyPassword
    self.verifiesHostName = verifiesHostName
  }
}

/// A name, a password, and how the broker is convinced of them.
package struct SASLLogin: Sendable {
  package enum Mechanism: String, Sendable {
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"
  }
  package var mechanism: Mechanism
  package var username: String
  package var password: String

  package init(_ mechanism: Mechanism, username: String, password: String) {
    self.mechanism = mechanism
    self.username = username
    self.password = password
  }
}
