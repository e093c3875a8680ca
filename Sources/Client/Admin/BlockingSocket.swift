internal import Glibc

/// A TCP connection on which every wait has an end.
final class BlockingSocket: ByteStream {
  private let descriptor: Int32
  let address: BrokerAddress

  /// Tries each address that the host's name stands for.
  init(connectingTo address: BrokerAddress, timeoutMs: Int64) throws(ClientError) {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(address.host, "\(address.port)", &hints, &found)
    guard status == 0, let found else {
      throw .unreachable(addresses: [address], reason: "the host name cannot be resolved")
    }
    defer { freeaddrinfo(found) }
    var failure: Int32 = ECONNREFUSED
    var candidate: UnsafeMutablePointer<addrinfo>? = found
    while let entry = candidate {
      switch Self.connect(entry, timeoutMs: timeoutMs) {
      case .success(let connected):
        descriptor = connected
        self.address = address
        return
      case .failure(let error): failure = error.errno
      }
      candidate = entry.pointee.ai_next
    }
    throw .unreachable(addresses: [address], reason: Self.words(failure))
  }

  deinit { Glibc.close(descriptor) }

  private struct Refusal: Error { let errno: Int32 }

  private static func connect(
    _ entry: UnsafeMutablePointer<addrinfo>, timeoutMs: Int64
  ) -> Result<Int32, Refusal> {
    let kind = entry.pointee.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(entry.pointee.ai_family, kind, entry.pointee.ai_protocol)
    guard descriptor >= 0 else { return .failure(Refusal(errno: errno)) }
    var failure: Int32 = 0
    if Glibc.connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) != 0 {
      failure = errno
      if failure == EINPROGRESS {
        failure = wait(descriptor, for: Int16(POLLOUT), timeoutMs: timeoutMs) ? pendingError(descriptor) : ETIMEDOUT
      }
    }
    if failure == 0 {
      var on: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
      return .success(descriptor)
    }
    Glibc.close(descriptor)
    return .failure(Refusal(errno: failure))
  }

  private static func pendingError(_ descriptor: Int32) -> Int32 {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &size)
    return value
  }

  private static func wait(_ descriptor: Int32, for events: Int16, timeoutMs: Int64) -> Bool {
    let watch = Stopwatch()
    while true {
      let rest = timeoutMs - watch.milliseconds
      guard rest > 0 else { return false }
      var entry = pollfd(fd: descriptor, events: events, revents: 0)
      let result = poll(&entry, 1, Int32(clamping: rest))
      if result > 0 { return true }
      if result < 0, errno != EINTR { return false }
    }
  }

  /// Sends all of `bytes`.
  func send(_ bytes: UnsafeRawBufferPointer, timeoutMs: Int64) throws(ClientError) {
    var rest = bytes
    while !rest.isEmpty {
      let sent = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      if sent > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[sent...])
      } else {
        try afterFailure(errno, awaiting: Int16(POLLOUT), timeoutMs)
      }
    }
  }

  /// Fills all of `buffer`.
  func receive(into buffer: UnsafeMutableRawBufferPointer, timeoutMs: Int64) throws(ClientError) {
    var count = 0
    while count < buffer.count {
      count += try receiveSome(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]), timeoutMs: timeoutMs)
    }
  }

  /// Waits for bytes and takes what has come, one at least. Returns how many.
  func receiveSome(into buffer: UnsafeMutableRawBufferPointer, timeoutMs: Int64) throws(ClientError) -> Int {
    while true {
      let received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if received > 0 { return received }
      guard received < 0 else { throw .connectionLost(address: address, reason: "the broker closed it") }
      try afterFailure(errno, awaiting: Int16(POLLIN), timeoutMs)
    }
  }

  private func afterFailure(_ failure: Int32, awaiting events: Int16, _ timeoutMs: Int64) throws(ClientError) {
    if failure == EINTR { return }
    guard failure == EAGAIN || failure == EWOULDBLOCK else {
      throw .connectionLost(address: address, reason: Self.words(failure))
    }
    guard Self.wait(descriptor, for: events, timeoutMs: timeoutMs) else {
      throw .connectionLost(address: address, reason: "no answer within \(timeoutMs) ms")
    }
  }

  /// The system's sentence for an error number, in lower case as part of ours.
  private static func words(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text).lowercased()
  }
}
