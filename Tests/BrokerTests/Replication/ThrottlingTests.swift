import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// A replica that catches up is held back, one that is in sync is not.
@Suite struct ThrottlingTests {
  private static let all = [
    "leader.replication.throttled.replicas": "*", "follower.replication.throttled.replicas": "*",
  ]

  /// Broker 3 begins to copy 60 records of 1 KB; how many it has after each of `seconds` seconds.
  private func catchUp(_ configs: [String: String], _ setting: String?, seconds: Int) throws -> [Int64] {
    let settings = [
      (name: "replica.fetch.max.bytes", value: "2000"), (name: "replica.fetch.response.max.bytes", value: "2000"),
    ]
    let topic = try ReplicatedTopic(
      [1, 2], configs: configs,
      settings: settings + (setting.map { [(name: $0, value: "5000")] } ?? []))
    try topic.produce(60, byteCount: 1000)
    #expect(try topic.endOffset(2) == 60, "who is in sync is not held back")
    topic.change { $0.replicas = [1, 2, 3] }
    var ends: [Int64] = []
    for _ in 0..<seconds {
      topic.cluster.advance(ms: 1000)
      ends.append(try topic.endOffset(3))
    }
    return ends
  }

  @Test(arguments: ["leader.replication.throttled.rate", "follower.replication.throttled.rate"])
  func theRateHolds(setting: String) throws {
    let ends = try catchUp(Self.all, setting, seconds: 16)
    for (second, end) in ends.enumerated() {
      // One second's worth and one answer more than the rate.
      #expect(end <= Int64(second + 2) * 5 + 2, "\(ends)")
    }
    #expect(ends[3] >= 14 && ends[15] == 60, "\(ends)")
  }

  @Test(arguments: ["leader", "follower"])
  func aRateMayBeSetAndTakenAwayWhileBrokersRun(side: String) throws {
    let topic = try ReplicatedTopic(
      [1, 2], configs: Self.all,
      settings: [
        (name: "replica.fetch.max.bytes", value: "2000"), (name: "replica.fetch.response.max.bytes", value: "2000"),
      ])
    try topic.produce(60, byteCount: 1000)
    let broker: Int32 = side == "leader" ? 1 : 3
    topic.configure(broker, "\(side).replication.throttled.rate", "5000")
    topic.change { $0.replicas = [1, 2, 3] }
    topic.cluster.advance(ms: 3000)
    let end = try topic.endOffset(3)
    #expect(end > 0 && end < 30, "\(end)")
    topic.configure(broker, "\(side).replication.throttled.rate", nil)
    topic.cluster.advance(ms: 2000)
    #expect(try topic.endOffset(3) == 60)
  }

  @Test func whoIsNotNamedIsNotHeldBack() throws {
    for setting in ["leader.replication.throttled.rate", "follower.replication.throttled.rate"] {
      #expect(try catchUp([:], setting, seconds: 2).last == 60)
    }
    let others = [
      "leader.replication.throttled.replicas": "0:2", "follower.replication.throttled.replicas": "0:1,0:2",
    ]
    #expect(try catchUp(others, "leader.replication.throttled.rate", seconds: 2).last == 60)
    #expect(try catchUp(others, "follower.replication.throttled.rate", seconds: 2).last == 60)
  }

  @Test func withoutARateNobodyIsHeldBack() throws {
    #expect(try catchUp(Self.all, nil, seconds: 2).last == 60)
  }
}
