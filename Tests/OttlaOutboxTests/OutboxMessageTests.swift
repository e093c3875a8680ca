import Testing

@testable import OttlaOutbox

@Suite struct OutboxMessageTests {
  @Test func idsAreRandomAndLong() {
    let ids = (0..<100).map { _ in OutboxMessage.randomID() }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { $0.utf8.count == 32 })
  }

  @Test func consumersGetTheIdAsAHeader() {
    let message = OutboxMessage(id: "a", topic: "t", key: nil, text: "x", headers: [.init("h", "v")])
    #expect(message.headersWithID == [.init("h", "v"), .init("outbox-id", "a")])
  }

  @Test func whatCannotBeKeptIsRefused() {
    let wrong = [
      OutboxMessage(id: "", topic: "t", value: nil), OutboxMessage(topic: "", value: nil),
      OutboxMessage(id: String(repeating: "x", count: 201), topic: "t", value: nil),
      OutboxMessage(topic: "t", value: nil, headers: [.init("", "v")]),
      OutboxMessage(topic: "t", value: nil, headers: [.init(OutboxMessage.idHeader, "v")]),
    ]
    for message in wrong { #expect(throws: OutboxMessageError.self) { try message.validate() } }
    #expect(throws: Never.self) { try OutboxMessage(topic: "t", value: nil).validate() }
  }
}
