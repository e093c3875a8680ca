internal import COpenSSL
internal import Glibc

/// What all TLS connections of a client share: the certificates it trusts, and its own. One owner, one thread.
final class TLSContext {
  let pointer: OpaquePointer
  let verifiesHostName: Bool

  /// Reads the files that `settings` name.
  ///
  /// - Throws: `.tlsFailed` with the file that cannot be used, and why.
  init(_ settings: TLSSettings) throws(ClientError) {
    guard let pointer = SSL_CTX_new(TLS_client_method()) else { throw .tlsFailed(Self.failure("starting TLS")) }
    self.pointer = pointer
    verifiesHostName = settings.verifiesHostName
    guard ottla_ssl_require_tls12(pointer) == 1 else { throw .tlsFailed(Self.failure("asking for TLS 1.2 or newer")) }
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    try trust(settings.caLocation)
    try appear(settings)
  }

  deinit { SSL_CTX_free(pointer) }

  private func trust(_ location: String?) throws(ClientError) {
    guard let location else {
      guard SSL_CTX_set_default_verify_paths(pointer) == 1 else {
        throw .tlsFailed(Self.failure("reading the system's certificates"))
      }
      return
    }
    guard SSL_CTX_load_verify_locations(pointer, location, nil) == 1 else {
      throw .tlsFailed(Self.failure("reading the certificates to trust in \(location)"))
    }
  }

  /// Sets the client's own certificate, where it has one. The key may stand in the same file.
  private func appear(_ settings: TLSSettings) throws(ClientError) {
    guard let certificate = settings.certificateLocation else {
      guard settings.keyLocation == nil else {
        throw .tlsFailed("there is a key, but no certificate that it belongs to")
      }
      return
    }
    guard SSL_CTX_use_certificate_chain_file(pointer, certificate) == 1 else {
      throw .tlsFailed(Self.failure("reading the client's certificate in \(certificate)"))
    }
    let key = settings.keyLocation ?? certificate
    let isRead: Bool
    if let passphrase = settings.keyPassword {
      isRead = passphrase.withCString { read(key, passphrase: $0) }
    } else {
      isRead = read(key, passphrase: nil)
    }
    guard isRead else { throw .tlsFailed(Self.failure("reading the client's key in \(key); is its passphrase right?")) }
  }

  private func read(_ key: String, passphrase: UnsafePointer<CChar>?) -> Bool {
    ottla_ssl_use_passphrase(pointer, passphrase)
    defer { ottla_ssl_use_passphrase(pointer, nil) }
    return SSL_CTX_use_PrivateKey_file(pointer, key, SSL_FILETYPE_PEM) == 1
  }

  /// `what`, with OpenSSL's reason, whose list of errors is empty afterwards.
  static func failure(_ what: String) -> String {
    let first = ERR_get_error()
    ERR_clear_error()
    guard first != 0 else { return what }
    if let reason = ERR_reason_error_string(first) { return "\(what): \(String(cString: reason).lowercased())" }
    // Errors of the system have no sentence of OpenSSL's.
    return "\(what): \(String(cString: strerror(Int32(truncatingIfNeeded: first & 0x7fff_ffff))).lowercased())"
  }
}
