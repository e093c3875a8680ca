internal import COpenSSL

/// TLS over a socket. OpenSSL sees memory only; what it has to say and to hear goes through the socket, whose waits have an end.
final class TLSStream: ByteStream {
  private let socket: BlockingSocket
  private let connection: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  private var record = [UInt8](repeating: 0, count: 16 << 10)
  /// Kept, for OpenSSL counts it but its files belong to the owner.
  private let context: TLSContext

  /// Greets the broker and checks who it is.
  ///
  /// - Throws: `.tlsFailed` where it cannot be trusted, or does not speak TLS.
  init(over socket: BlockingSocket, _ context: TLSContext, timeoutMs: Int64) throws(ClientError) {
    guard let connection = SSL_new(context.pointer), let incoming = BIO_new(BIO_s_mem()),
      let outgoing = BIO_new(BIO_s_mem())
    else { throw .tlsFailed("out of memory") }
    self.socket = socket
    self.context = context
    self.connection = connection
    self.incoming = incoming
    self.outgoing = outgoing
    // The connection owns both from here on.
    SSL_set_bio(connection, incoming, outgoing)
    SSL_set_connect_state(connection)
    try expect(host: socket.address.host)
    try greet(timeoutMs: timeoutMs)
  }

  deinit { SSL_free(connection) }

  /// Says whom we want to speak to, and has the certificate checked for it.
  private func expect(host: String) throws(ClientError) {
    let isNumeric = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
    var isSet = isNumeric || ottla_ssl_announce_host(connection, host) == 1
    if context.verifiesHostName, isSet {
      isSet =
        isNumeric
        ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host) == 1 : SSL_set1_host(connection, host) == 1
    }
    guard isSet else { throw .tlsFailed(TLSContext.failure("expecting a certificate for \(host)")) }
  }

  private func greet(timeoutMs: Int64) throws(ClientError) {
    let watch = Stopwatch()
    while true {
      ERR_clear_error()
      let outcome = SSL_do_handshake(connection)
      if outcome == 1 { return try flush(timeoutMs) }
      guard SSL_get_error(connection, outcome) == SSL_ERROR_WANT_READ else {
        let reason = refusal()
        // The broker is told why, where it still listens.
        try? flush(timeoutMs)
        throw .tlsFailed("the broker at \(socket.address): \(reason)")
      }
      try flush(timeoutMs)
      let rest = max(1, timeoutMs - watch.milliseconds)
      do throws(ClientError) { try hear(rest) } catch {
        guard case .connectionLost(_, let reason) = error else { throw error }
        throw .tlsFailed("the broker at \(socket.address): \(reason); does it speak TLS on this port?")
      }
    }
  }

  /// Why OpenSSL does not go on: what is wrong with the certificate, before anything else.
  private func refusal() -> String {
    let verdict = SSL_get_verify_result(connection)
    guard verdict != Int(X509_V_OK) else { return TLSContext.failure("TLS") }
    ERR_clear_error()
    return "its certificate is not trusted: \(String(cString: X509_verify_cert_error_string(verdict)))"
  }

  func send(_ bytes: UnsafeRawBufferPointer, timeoutMs: Int64) throws(ClientError) {
    var rest = bytes
    while !rest.isEmpty {
      ERR_clear_error()
      let count = SSL_write(connection, rest.baseAddress, Int32(clamping: rest.count))
      if count > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
        do throws(ClientError) { try flush(timeoutMs) } catch { throw farewell(error) }
      } else {
        try goOn(after: count, timeoutMs)
      }
    }
  }

  func receive(into buffer: UnsafeMutableRawBufferPointer, timeoutMs: Int64) throws(ClientError) {
    var count = 0
    while count < buffer.count {
      ERR_clear_error()
      let received = SSL_read(
        connection, buffer.baseAddress.map { $0 + count }, Int32(clamping: buffer.count - count))
      if received > 0 { count += Int(received) } else { try goOn(after: received, timeoutMs) }
    }
  }

  private func goOn(after outcome: Int32, _ timeoutMs: Int64) throws(ClientError) {
    switch SSL_get_error(connection, outcome) {
    case SSL_ERROR_WANT_READ:
      try flush(timeoutMs)
      try hear(timeoutMs)
    case SSL_ERROR_ZERO_RETURN:
      throw .connectionLost(address: socket.address, reason: "the broker closed it")
    default:
      // A broker that does not take the client's certificate says so after the greeting (TLS 1.3).
      throw .tlsFailed("the broker at \(socket.address): \(refusal())")
    }
  }

  /// A broker that hangs up may have said why before, as where it wants a certificate: that is told instead.
  private func farewell(_ failure: ClientError) -> ClientError {
    guard case .connectionLost = failure, (try? hear(1)) != nil else { return failure }
    var byte: UInt8 = 0
    ERR_clear_error()
    let outcome = SSL_read(connection, &byte, 1)
    guard outcome <= 0, SSL_get_error(connection, outcome) == SSL_ERROR_SSL else { return failure }
    return .tlsFailed("the broker at \(socket.address): \(refusal())")
  }

  /// Gives OpenSSL the next bytes that came.
  private func hear(_ timeoutMs: Int64) throws(ClientError) {
    var failure: ClientError?
    record.withUnsafeMutableBytes { record in
      do throws(ClientError) {
        let count = try socket.receiveSome(into: record, timeoutMs: timeoutMs)
        _ = BIO_write(incoming, record.baseAddress, Int32(clamping: count))
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Sends what OpenSSL has to say.
  private func flush(_ timeoutMs: Int64) throws(ClientError) {
    var failure: ClientError?
    record.withUnsafeMutableBytes { record in
      do throws(ClientError) {
        while true {
          let count = BIO_read(outgoing, record.baseAddress, Int32(clamping: record.count))
          guard count > 0 else { return }
          try socket.send(UnsafeRawBufferPointer(rebasing: record[..<Int(count)]), timeoutMs: timeoutMs)
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
