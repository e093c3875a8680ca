import Broker
import Testing

@testable import Runtime

@Suite struct ResolverTests {
  private func answer(_ mailbox: Mailbox) -> (ConnectionID, [String])? {
    // The thread answers in its own time.
    for _ in 0..<100_000 {
      for message in mailbox.take() {
        if case .resolved(let id, let addresses) = message { return (id, addresses) }
      }
      _ = LinuxClock().now()
    }
    return nil
  }

  @Test func addressesOfNames() {
    #expect(Resolver.addresses(of: "localhost").contains("127.0.0.1"))
    #expect(Resolver.addresses(of: "127.0.0.1") == ["127.0.0.1"])
    #expect(Resolver.addresses(of: "no-such-host.invalid") == [])
    #expect(Resolver.addresses(of: "a name that is none") == [])
  }

  @Test func answersComeToTheLoopThatAsked() {
    let mailboxes = [Mailbox(), Mailbox()]
    let resolver = Resolver(mailboxes: mailboxes)
    defer { resolver.stop() }
    let id = ConnectionID(slot: 3, generation: 7)
    #expect(resolver.resolve("localhost", for: id, loop: 1))
    let found = answer(mailboxes[1])
    #expect(found?.0 == id && found?.1.contains("127.0.0.1") == true)
    #expect(mailboxes[0].take().isEmpty)
  }

  @Test func afterTheStopNothingIsLookedUp() {
    let resolver = Resolver(mailboxes: [Mailbox()])
    resolver.stop()
    #expect(!resolver.resolve("localhost", for: ConnectionID(slot: 0, generation: 0), loop: 0))
  }
}
