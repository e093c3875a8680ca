import Primitives
import Testing

@testable import ottla

/// A partition as tests need it: in sync and led by the first replica, where nothing else is said.
func partition(
  _ topic: String, _ number: Int32, _ replicas: [Int32], isr: [Int32]? = nil, leader: Int32? = nil,
  minInsyncReplicas: Int = 1, isMoving: Bool = false
) -> ClusterView.Partition {
  .init(
    name: TopicPartition(topic, number), isInternal: false, leader: leader ?? replicas.first ?? -1, replicas: replicas,
    isr: isr ?? replicas, minInsyncReplicas: minInsyncReplicas, isMoving: isMoving)
}

func brokers(_ ids: ClosedRange<Int32>, racks: [Int32: String] = [:], fenced: Set<Int32> = []) -> [ClusterView.Broker] {
  ids.map { .init(id: $0, host: "h", port: 9092, rack: racks[$0], isFenced: fenced.contains($0)) }
}

func view(_ partitions: [ClusterView.Partition], brokers: [ClusterView.Broker]) -> ClusterView {
  ClusterView(clusterID: "c", controller: 1, brokers: brokers, partitions: partitions)
}

@Suite("ClusterView")
struct ClusterViewTests {
  @Test("each thing that can be wrong is counted by itself")
  func health() {
    let all = [
      partition("t", 0, [1, 2, 3]),
      partition("t", 1, [1, 2, 3], isr: [1, 2], minInsyncReplicas: 2),
      partition("t", 2, [1, 2, 3], isr: [1], minInsyncReplicas: 2),
      partition("t", 3, [3, 2], isr: [3], leader: -1),
      partition("t", 4, [1, 2], leader: 2),
      partition("t", 5, [1, 2], isMoving: true),
    ]
    let health = ClusterHealth(view(all, brokers: brokers(1...3)))
    #expect(health.partitions == 6)
    #expect(health.offline == 1)
    #expect(health.underReplicated == 3)
    #expect(health.underMinISR == 2)
    #expect(health.moving == 1)
    #expect(health.ledElsewhere == 1)
    #expect(!health.isWhole)
  }

  @Test("a cluster whose leaders are not the preferred ones is whole")
  func whole() {
    let health = ClusterHealth(view([partition("t", 0, [1, 2], leader: 2)], brokers: brokers(1...2)))
    #expect(health.isWhole)
    #expect(health.sentence == "1 partitions, all in sync, 1 not led by the preferred replica")
    #expect(
      ClusterHealth(view([partition("t", 0, [1])], brokers: brokers(1...1))).sentence == "1 partitions, all in sync")
  }

  @Test("min.insync.replicas above the replicas asks no more than all of them")
  func minimumAboveReplicas() {
    #expect(!partition("t", 0, [1], minInsyncReplicas: 2).isUnderMinISR)
    #expect(partition("t", 0, [1, 2], isr: [1], minInsyncReplicas: 3).isUnderMinISR)
  }

  @Test("a broker's leaderships, replicas and those in sync are counted")
  func counts() {
    let seen = view(
      [partition("t", 0, [1, 2], isr: [1]), partition("t", 1, [2, 1], leader: 1), partition("t", 2, [2])],
      brokers: brokers(1...3, fenced: [3]))
    #expect(seen.leaderCount(of: 1) == 2)
    #expect(seen.replicaCount(on: 2) == 3)
    #expect(seen.inSyncCount(of: 2) == 2)
    #expect(seen.activeBrokers.map(\.id) == [1, 2])
  }
}
