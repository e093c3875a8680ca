import Primitives
import Testing

@testable import Cluster

@Suite struct TopicNameTests {
  @Test(arguments: ["a", "A-z_0.9", "...", "__consumer_offsets", String(repeating: "x", count: 249)])
  func goodNames(name: String) throws {
    try TopicName.validate(name)
  }

  @Test(arguments: [
    "", ".", "..", "a b", "a/b", "../x", "ä", "a\u{0}", "a:b", "a\n", "a*", String(repeating: "x", count: 250),
    "e\u{301}",
  ])
  func badNames(name: String) {
    do throws(KafkaError) {
      try TopicName.validate(name)
      Issue.record("'\(name)' was let through")
    } catch {
      #expect(error.code == .invalidTopicException)
    }
  }

  @Test func collisionKeysIgnoreDots() {
    #expect(TopicName.collisionKey(of: "a.b_c") == TopicName.collisionKey(of: "a_b.c"))
    #expect(TopicName.collisionKey(of: "a.b") != TopicName.collisionKey(of: "a-b"))
  }
}
