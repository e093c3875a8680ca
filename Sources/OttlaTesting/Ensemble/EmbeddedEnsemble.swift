internal import Coordination
internal import Primitives

/// One broker's client of the embedded cluster's coordination service.
final class EmbeddedEnsemble: Ensemble {
  private let thread: EnsembleThread
  private let client: Int
  private let inbox: EnsembleInbox

  init(thread: EnsembleThread, client: Int, inbox: EnsembleInbox) {
    self.thread = thread
    self.client = client
    self.inbox = inbox
  }

  func connect() { thread.post(.connect(client: client, session: inbox.beginSession())) }

  func send(_ request: EnsembleRequest, token: RequestToken) {
    thread.post(.send(client: client, request, token))
  }

  func close() { thread.post(.close(client: client, session: inbox.beginSession())) }

  func poll() -> [EnsembleEvent] { inbox.takeAll() }
}
