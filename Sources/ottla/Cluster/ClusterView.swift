import Primitives

/// The cluster as it was told when somebody asked: brokers and partitions, in order.
struct ClusterView {
  struct Broker: Equatable {
    let id: Int32
    let host: String
    let port: Int32
    let rack: String?
    /// Registered, but not alive.
    let isFenced: Bool
  }

  struct Partition: Equatable {
    let name: TopicPartition
    let isInternal: Bool
    /// -1 where there is none.
    let leader: Int32
    /// The preferred leader first.
    let replicas: [Int32]
    let isr: [Int32]
    let minInsyncReplicas: Int
    /// Whether its replicas are on the move at present.
    let isMoving: Bool

    var isOffline: Bool { leader < 0 }
    var isUnderReplicated: Bool { isr.count < replicas.count }
    /// Fewer in sync than acks=all wants: records are refused.
    var isUnderMinISR: Bool { isr.count < min(minInsyncReplicas, replicas.count) || isOffline }
    /// Led by another broker than the one that is first in the list.
    var isLedElsewhere: Bool { leader >= 0 && replicas.first.map { $0 != leader } ?? false }
  }

  let clusterID: String
  /// -1 where there is none.
  let controller: Int32
  let brokers: [Broker]
  let partitions: [Partition]

  func broker(_ id: Int32) -> Broker? { brokers.first { $0.id == id } }
  var activeBrokers: [Broker] { brokers.filter { !$0.isFenced } }
  func leaderCount(of broker: Int32) -> Int { partitions.count { $0.leader == broker } }
  func replicaCount(on broker: Int32) -> Int { partitions.count { $0.replicas.contains(broker) } }
  func inSyncCount(of broker: Int32) -> Int { partitions.count { $0.isr.contains(broker) } }
}

/// What an operator looks for first.
struct ClusterHealth: Equatable {
  let partitions: Int
  let offline: Int
  let underReplicated: Int
  let underMinISR: Int
  let moving: Int
  let ledElsewhere: Int

  init(_ view: ClusterView) {
    partitions = view.partitions.count
    offline = view.partitions.count(where: \.isOffline)
    underReplicated = view.partitions.count(where: \.isUnderReplicated)
    underMinISR = view.partitions.count(where: \.isUnderMinISR)
    moving = view.partitions.count(where: \.isMoving)
    ledElsewhere = view.partitions.count(where: \.isLedElsewhere)
  }

  /// All replicas are where they belong and in sync; which of them leads does not matter.
  var isWhole: Bool { offline == 0 && underReplicated == 0 && underMinISR == 0 && moving == 0 }

  /// One line.
  var sentence: String {
    let troubles = [
      (offline, "without a leader"), (underReplicated, "under-replicated"), (underMinISR, "under min.insync.replicas"),
      (moving, "being moved"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    let elsewhere = ledElsewhere > 0 ? ["\(ledElsewhere) not led by the preferred replica"] : []
    let findings = (troubles.isEmpty ? ["all in sync"] : troubles) + elsewhere
    return "\(partitions) partitions, \(findings.joined(separator: ", "))"
  }
}
