/// How connections for administration are made: with which name, in which time, kept from others how. One owner, one thread.
struct AdminDialling {
  let clientID: String
  let timeoutMs: Int64
  let login: SASLLogin?
  private let tls: TLSContext?

  /// - Throws: `.tlsFailed` for files that cannot be used.
  init(
    clientID: String, timeoutMs: Int64, security: ConnectionSecurity = ConnectionSecurity()
  ) throws(ClientError) {
    self.clientID = clientID
    self.timeoutMs = timeoutMs
    login = security.login
    if let settings = security.tls { tls = try TLSContext(settings) } else { tls = nil }
  }

  /// A connection on which the protocol can be spoken; the login is not yet done.
  func connect(to address: BrokerAddress) throws(ClientError) -> any ByteStream {
    let socket = try BlockingSocket(connectingTo: address, timeoutMs: timeoutMs)
    guard let tls else { return socket }
    return try TLSStream(over: socket, tls, timeoutMs: timeoutMs)
  }
}
