internal import CMicrohttpd
internal import Glibc
internal import Synchronization

/// A small HTTP/1.1 server for demos, over libmicrohttpd: one thread for all connections, and a task for each request.
///
/// ```swift
/// var router = Router()
/// router.post("/send") { request in .text("sent to \(try request.form().required("toID"))") }
/// let server = try HTTPServer.start(router, HTTPServer.Settings(port: 8080))
/// // ...
/// await server.stop()
/// ```
package final class HTTPServer: Sendable {
  package struct Settings: Sendable {
    /// A numeric address. Nobody else's machine can reach 127.0.0.1.
    package var address = "127.0.0.1"
    /// 0 takes one that is free.
    package var port: UInt16
    /// More bytes of a body than this are answered with 413.
    package var bodyBytesMax = 1 << 20
    /// More connections than this wait, unanswered.
    package var connectionsMax: UInt32 = 256
    /// A connection on which nothing happens for so long is closed.
    package var idleSecondsMax: UInt32 = 30
    /// A handler that takes longer is cancelled, and the request answered with 503.
    package var handlerTimeMax = Duration.seconds(30)
    /// Is told what handlers throw that is no `HTTPError`: for the log.
    package var onError: @Sendable (any Error) -> Void = { _ in }

    package init(port: UInt16) { self.port = port }
  }

  /// The server could not start: the port is taken, or the address is none of this machine.
  package struct CannotListen: Error, Hashable, CustomStringConvertible {
    package let description: String
  }

  package let port: UInt16
  private let desk: ExchangeDesk
  /// Nil once the server was stopped.
  private let daemon: Mutex<OpaquePointer?>

  private init(daemon: sending OpaquePointer, port: UInt16, desk: ExchangeDesk) {
    self.daemon = Mutex(daemon)
    self.port = port
    self.desk = desk
  }

  /// Listens, and answers from now on until `stop`.
  package static func start(_ router: Router, _ settings: Settings) throws(CannotListen) -> HTTPServer {
    let desk = ExchangeDesk(router, settings)
    // The daemon's own hold on the desk; `stop` lets go of it, after the daemon's thread has ended.
    let context = Unmanaged.passRetained(desk)
    let started = settings.address.withCString { address -> Result<OpaquePointer, CannotListen> in
      var what = ottla_http_settings()
      what.address = address
      what.port = settings.port
      what.connections_max = settings.connectionsMax
      what.idle_seconds_max = settings.idleSecondsMax
      what.handler = handleRequest
      what.completed = completeRequest
      what.context = context.toOpaque()
      if let daemon = ottla_http_start(&what) { return .success(daemon) }
      let reason = String(cString: strerror(errno))
      return .failure(CannotListen(description: "cannot listen on \(settings.address):\(settings.port): \(reason)"))
    }
    switch started {
    case .success(let daemon): return HTTPServer(daemon: daemon, port: ottla_http_port(daemon), desk: desk)
    case .failure(let error):
      context.release()
      throw error
    }
  }

  /// Takes no new connections, waits until what was asked is answered and sent, for `grace` at most, and ends.
  package func stop(grace: Duration = .seconds(5)) async {
    desk.close()
    let isFirst = daemon.withLock { daemon in
      guard let daemon else { return false }
      let listener = MHD_quiesce_daemon(daemon)
      if listener >= 0 { close(listener) }
      return true
    }
    guard isFirst else { return }
    let clock = ContinuousClock()
    let end = clock.now + grace
    while desk.openCount > 0, clock.now < end { try? await Task.sleep(for: .milliseconds(2)) }
    // The daemon may not be stopped while a connection is set aside.
    desk.abandonAll()
    let stopped = daemon.withLock { daemon -> Bool in
      guard let running = daemon else { return false }
      daemon = nil
      MHD_stop_daemon(running)
      return true
    }
    if stopped { Unmanaged.passUnretained(desk).release() }
  }
}

/// The library's call for the beginning of a request, each part of its body, its end, and again when its answer is there.
private func handleRequest(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ path: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?,
  _ byteCount: UnsafeMutablePointer<Int>?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context, let connection, let path, let method, let byteCount, let state else { return ottla_http_no }
  let desk = Unmanaged<ExchangeDesk>.fromOpaque(context).takeUnretainedValue()
  guard let known = state.pointee else {
    let exchange = Exchange(
      connection: connection, method: String(cString: method), path: String(cString: path),
      headers: RequestValues.headers(of: connection), bodyBytesMax: desk.settings.bodyBytesMax)
    state.pointee = Unmanaged.passRetained(exchange).toOpaque()
    desk.opened(exchange)
    return exchange.isTooLargeAtOnce ? exchange.send(.tooLarge(desk.settings.bodyBytesMax)) : ottla_http_yes
  }
  let exchange = Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue()
  if byteCount.pointee > 0 {
    let part = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : byteCount.pointee)
    byteCount.pointee = 0
    return exchange.receive(part) ? ottla_http_yes : ottla_http_no
  }
  if let answer = exchange.answer { return exchange.send(answer) }
  if exchange.isTooLarge { return exchange.send(.tooLarge(desk.settings.bodyBytesMax)) }
  exchange.setAside()
  desk.answer(exchange, query: RequestValues.query(of: connection))
  return ottla_http_yes
}

/// The library's call when a request is over: its answer was sent, or its connection is gone.
private func completeRequest(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
  guard let context, let state, let known = state.pointee else { return }
  state.pointee = nil
  let exchange = Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue()
  Unmanaged<ExchangeDesk>.fromOpaque(context).takeUnretainedValue().completed(exchange)
}

extension HTTPResponse {
  static func tooLarge(_ bodyBytesMax: Int) -> HTTPResponse {
    HTTPError(413, "the body is larger than \(bodyBytesMax) bytes").response
  }
}
