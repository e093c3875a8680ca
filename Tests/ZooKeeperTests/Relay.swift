import Glibc
import Synchronization

/// Sockets on this machine.
enum Sockets {
  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func with<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = address(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  /// Listens at a port that the kernel chooses.
  static func listen() -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    _ = with(0) { bind(descriptor, $0, $1) }
    Glibc.listen(descriptor, 16)
    var bound = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &bound) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return (descriptor, UInt16(bigEndian: bound.sin_port))
  }

  /// A port that nobody listens at.
  static func freePort() -> UInt16 {
    let (descriptor, port) = listen()
    close(descriptor)
    return port
  }

  /// nil when nobody listens.
  static func connect(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if with(port, { Glibc.connect(descriptor, $0, $1) }) == 0 { return descriptor }
    close(descriptor)
    return nil
  }
}

/// A way to a server that can be cut: what is sent then goes nowhere, and nobody is told.
final class Relay: Sendable {
  enum State { case whole, cut, answersLost, ended }

  let port: UInt16
  private let state = Mutex(State.whole)

  init(to target: UInt16) {
    let (listener, port) = Sockets.listen()
    self.port = port
    Thread.start { [self] in accept(listener, target: target) }
  }

  func set(_ state: State) { self.state.withLock { if $0 != .ended { $0 = state } } }
  private var current: State { state.withLock { $0 } }

  private func accept(_ listener: Int32, target: UInt16) {
    while current != .ended {
      guard isReadable(listener), current == .whole else { continue }
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { continue }
      guard let server = Sockets.connect(to: target) else {
        close(client)
        continue
      }
      Thread.start { [self] in pump(client, server) }
    }
    close(listener)
  }

  private func isReadable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 10) > 0
  }

  /// Carries bytes both ways until an end hangs up. A connection that was cut does not come back.
  private func pump(_ client: Int32, _ server: Int32) {
    defer {
      close(client)
      close(server)
    }
    var wasCut = false
    while true {
      var entries = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&entries, 2, 10)
      switch current {
      case .ended: return
      case .cut:
        wasCut = true
        usleep(5000)
      case .answersLost:
        wasCut = true
        if entries[0].revents != 0, !carry(client, server) { return }
        if entries[1].revents != 0, !carry(server, nil) { return }
      case .whole:
        if wasCut { return }
        if entries[0].revents != 0, !carry(client, server) { return }
        if entries[1].revents != 0, !carry(server, client) { return }
      }
    }
  }

  private func carry(_ from: Int32, _ to: Int32?) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(from, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    guard let to else { return true }
    var sent = 0
    while sent < count {
      let written = buffer.withUnsafeBytes { bytes in
        Glibc.send(to, bytes.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
      }
      guard written > 0 else { return false }
      sent += written
    }
    return true
  }
}

/// A thread that nobody waits for.
private enum Thread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func start(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let outcome = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, Unmanaged.passRetained(Work(body)).toOpaque())
    precondition(outcome == 0, "no thread: \(outcome)")
    pthread_detach(thread)
  }
}
