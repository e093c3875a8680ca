internal import CZooKeeper
package import Coordination
package import Primitives
internal import Synchronization

/// A client of a real ZooKeeper ensemble, through the library that comes with ZooKeeper.
///
/// Nothing here waits: sessions are begun and ended on threads of their own, for names have to be looked up and threads waited
/// for. The library's threads leave what they have to say in an inbox, and call `wake`.
package final class ZooKeeperEnsemble: Ensemble {
  private let connection: Connection
  private let inbox: Inbox
  private let isPrivate: Bool
  private var session: UInt64 = 0

  /// - Parameters:
  ///   - servers: `host:port`, separated by commas.
  ///   - sessionTimeoutMs: how long the servers are to keep a session without a word from us; they may grant another time.
  ///   - credentials: `user:password`: nodes are made for this login alone; nil for nodes that are open to everybody.
  ///   - wake: called on any thread, whenever `poll` has something new.
  package init(
    servers: String, sessionTimeoutMs: Int32, credentials: String? = nil, wake: @escaping @Sendable () -> Void
  ) {
    ottla_zookeeper_silence()
    inbox = Inbox(wake: wake)
    isPrivate = credentials != nil
    connection = Connection(
      servers: servers, timeoutMs: sessionTimeoutMs, credentials: credentials, inbox: inbox)
  }

  deinit {
    _ = inbox.beginSession()
    BackgroundCall.start { [connection] in connection.end() }
  }

  package func connect() {
    let session = inbox.beginSession()
    self.session = session
    BackgroundCall.start { [connection] in connection.begin(session) }
  }

  package func send(_ request: EnsembleRequest, token: RequestToken) {
    let errand = Errand(inbox: inbox, session: session, token: token)
    connection.use { [isPrivate] handle in
      guard let handle else { return errand.finish(.failure(EnsembleError(.connectionLost))) }
      handle.send(request, isPrivate: isPrivate, errand)
    }
  }

  package func close() {
    let session = inbox.beginSession()
    self.session = session
    BackgroundCall.start { [connection, inbox] in
      connection.end()
      inbox.add(.closed, of: session)
    }
  }

  package func poll() -> [EnsembleEvent] { inbox.takeAll() }
}

/// The library's session that is used now, if any, and how it is changed for another.
private final class Connection: Sendable {
  private let servers: String
  private let timeoutMs: Int32
  private let credentials: String?
  private let inbox: Inbox
  private let handle = Mutex<Handle?>(nil)
  /// Held while a session is begun or ended: one after the other.
  private let changing = Mutex<Void>(())

  init(servers: String, timeoutMs: Int32, credentials: String?, inbox: Inbox) {
    self.servers = servers
    self.timeoutMs = timeoutMs
    self.credentials = credentials
    self.inbox = inbox
  }

  func use(_ body: (Handle?) -> Void) { handle.withLock { body($0) } }

  /// Ends the session there is and begins another, unless a later one is wanted by now.
  func begin(_ session: UInt64) {
    changing.withLock { _ in
      closeHandle()
      guard inbox.isPresent(session) else { return }
      let watcher = SessionWatcher(inbox: inbox, session: session)
      let opened = Handle(servers: servers, timeoutMs: timeoutMs, credentials: credentials, watcher: watcher)
      handle.withLock { $0 = opened }
      if opened == nil { watcher.tell(.sessionLost) }
    }
  }

  /// Ends the session there is. Those that are still to begin come to nothing, for the inbox has a later one by now.
  func end() {
    changing.withLock { _ in closeHandle() }
  }

  private func closeHandle() {
    let closing = handle.withLock { current in
      let handle = current
      current = nil
      return handle
    }
    closing?.close()
  }
}
