internal import Coordination
internal import Primitives
internal import Synchronization

/// Where the library's threads leave what they have to say, for the owner to fetch.
///
/// Sessions are counted: what belongs to an earlier one than the present is dropped, whenever it comes.
final class Inbox: Sendable {
  private struct State {
    var session: UInt64 = 0
    var events: [EnsembleEvent] = []
  }

  private let state = Mutex(State())
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Begins another session, and forgets what the one before it said.
  func beginSession() -> UInt64 {
    state.withLock { state in
      state.session += 1
      state.events = []
      return state.session
    }
  }

  func isPresent(_ session: UInt64) -> Bool { state.withLock { $0.session == session } }

  /// Called by any thread.
  func add(_ event: EnsembleEvent, of session: UInt64) {
    let isNews = state.withLock { state in
      guard state.session == session else { return false }
      state.events.append(event)
      return true
    }
    if isNews { wake() }
  }

  func takeAll() -> [EnsembleEvent] {
    state.withLock { state in
      let events = state.events
      state.events = []
      return events
    }
  }
}

/// Who is to be told how a request went: made when it is sent, gone when it was answered.
final class Errand: Sendable {
  private let inbox: Inbox
  private let session: UInt64
  private let token: RequestToken

  init(inbox: Inbox, session: UInt64, token: RequestToken) {
    self.inbox = inbox
    self.session = session
    self.token = token
  }

  func finish(_ result: Result<EnsembleAnswer, EnsembleError>) {
    inbox.add(.completed(token, result), of: session)
  }
}

/// Who is to be told what the library's watcher says of one session.
final class SessionWatcher: Sendable {
  private let inbox: Inbox
  private let session: UInt64

  init(inbox: Inbox, session: UInt64) {
    self.inbox = inbox
    self.session = session
  }

  func tell(_ event: EnsembleEvent) { inbox.add(event, of: session) }
}
