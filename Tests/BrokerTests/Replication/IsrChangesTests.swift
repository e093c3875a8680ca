import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct IsrChangesTests {
  /// One node that becomes three: the same leader in the same term gets its first followers, and looks after them.
  @Test func theFirstFollowersAreWatchedThoughTheTermIsTheSame() throws {
    let topic = try ReplicatedTopic([1])
    #expect(!topic[1].shards[0].hasIsrTimer)
    topic.change { $0.replicas = [1, 2, 3] }
    #expect(topic[1].shards[0].hasIsrTimer)
  }
}
