internal import Synchronization

/// The exchanges that are open, and what answers them.
final class ExchangeDesk: Sendable {
  private struct State {
    var open: [ObjectIdentifier: Exchange] = [:]
    var isClosed = false
  }

  let settings: HTTPServer.Settings
  private let router: Router
  private let state = Mutex(State())

  init(_ router: Router, _ settings: HTTPServer.Settings) {
    self.router = router
    self.settings = settings
  }

  var openCount: Int { state.withLock { $0.open.count } }

  func opened(_ exchange: Exchange) { state.withLock { $0.open[ObjectIdentifier(exchange)] = exchange } }
  func completed(_ exchange: Exchange) {
    state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(exchange)) }
  }

  /// What is asked from now on is refused.
  func close() { state.withLock { $0.isClosed = true } }

  /// Ends the wait for handlers that still work.
  func abandonAll() {
    for exchange in state.withLock({ Array($0.open.values) }) {
      exchange.finish(HTTPError(503, "the server is stopping").response)
    }
  }

  /// Lets the router answer an exchange that was set aside.
  ///
  /// - Parameter query: nil where it cannot be read.
  func answer(_ exchange: Exchange, query: FormFields?) {
    guard !state.withLock(\.isClosed) else {
      var response = HTTPError(503, "the server is stopping").response
      response.headers.append(HTTPResponse.Header("Connection", "close"))
      return exchange.finish(response)
    }
    guard let query else { return exchange.finish(HTTPError(400, "the query cannot be read").response) }
    let request = HTTPRequest(
      method: exchange.method, path: exchange.path, query: query, headers: exchange.headers, body: exchange.body)
    let router = router
    let settings = settings
    let work = Task {
      let watch = Task {
        try await Task.sleep(for: settings.handlerTimeMax)
        exchange.finish(HTTPError(503, "the server took too long").response)
      }
      exchange.finish(await router.answer(request, onError: settings.onError))
      watch.cancel()
    }
    exchange.began(work)
  }
}
