import Primitives
import Testing

@testable import Configuration

@Suite struct ThrottledReplicasTests {
  private func read(_ text: String) -> ThrottledReplicas {
    BrokerConfig().topicConfig(overrides: ["leader.replication.throttled.replicas": text]).throttledLeaders
  }

  @Test func aListNamesReplicas() {
    let list = read("0:101,1:102,0:103")
    #expect(list.contains(0, on: BrokerID(101)) && list.contains(0, on: BrokerID(103)))
    #expect(list.contains(1, on: BrokerID(102)))
    #expect(!list.contains(1, on: BrokerID(101)) && !list.contains(2, on: BrokerID(101)))
    #expect(!list.isEmpty)
  }

  @Test func aStarNamesAll() { #expect(read("*").contains(7, on: BrokerID(3))) }

  @Test func nothingNamesNobody() {
    #expect(read("").isEmpty && !read("").contains(0, on: BrokerID(1)))
    let config = BrokerConfig().topicConfig(overrides: ["follower.replication.throttled.replicas": "2:1"])
    #expect(config.throttledLeaders.isEmpty && config.throttledFollowers.contains(2, on: BrokerID(1)))
  }
}
