import Coordination
import Primitives
import Synchronization
import Testing

@testable import ZooKeeper

@Suite struct InboxTests {
  @Test func whatAnEarlierSessionSaysIsDropped() {
    let wakes = Mutex(0)
    let inbox = Inbox { wakes.withLock { $0 += 1 } }
    let first = inbox.beginSession()
    let errand = Errand(inbox: inbox, session: first, token: RequestToken(1))
    inbox.add(.disconnected, of: first)
    let second = inbox.beginSession()
    errand.finish(.success(.done))
    SessionWatcher(inbox: inbox, session: first).tell(.sessionLost)
    #expect(inbox.takeAll() == [])
    #expect(!inbox.isPresent(first) && inbox.isPresent(second))
    Errand(inbox: inbox, session: second, token: RequestToken(2)).finish(.success(.done))
    #expect(inbox.takeAll() == [.completed(RequestToken(2), .success(.done))])
    #expect(inbox.takeAll() == [])
    #expect(wakes.withLock { $0 } == 2)
  }
}
