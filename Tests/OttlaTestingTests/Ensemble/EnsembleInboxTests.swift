import Coordination
import Synchronization
import Testing

@testable import OttlaTesting

@Suite struct EnsembleInboxTests {
  @Test func whatBelongsToAnotherSessionIsDropped() {
    let wakes = Atomic<Int>(0)
    let inbox = EnsembleInbox { wakes.add(1, ordering: .relaxed) }
    let first = inbox.beginSession()
    inbox.add([.disconnected], of: first)
    #expect(inbox.takeAll() == [.disconnected])
    inbox.add([.disconnected], of: first)
    let second = inbox.beginSession()
    #expect(inbox.takeAll() == [])
    inbox.add([.sessionLost], of: first)
    inbox.add([], of: second)
    inbox.add([.closed], of: second)
    #expect(inbox.takeAll() == [.closed] && inbox.takeAll() == [])
    #expect(wakes.load(ordering: .relaxed) == 3, "only news wakes anybody")
  }
}
