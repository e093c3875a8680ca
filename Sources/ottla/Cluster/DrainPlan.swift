import Primitives

/// How a broker's leaderships go elsewhere: it becomes the last of the replicas, another one that is in sync the first.
struct DrainPlan: Equatable {
  let plan: ReplicaPlan
  /// Partitions that the broker leads and nobody else can, with the reason.
  let stuck: [TopicPartition: String]
  /// Those that the broker leads at present, and will not.
  let led: [TopicPartition]

  /// - Parameter broker: shall lead nothing, and be preferred for nothing.
  init(_ view: ClusterView, draining broker: Int32) {
    var leads: [Int32: Int] = [:]
    for partition in view.partitions where partition.leader >= 0 { leads[partition.leader, default: 0] += 1 }
    var moves: [ReplicaPlan.Move] = []
    var stuck: [TopicPartition: String] = [:]
    var led: [TopicPartition] = []
    for partition in view.partitions where partition.leader == broker || partition.replicas.first == broker {
      let others = partition.replicas.filter { $0 != broker }
      let able = others.filter { partition.isr.contains($0) }
      guard !partition.isMoving, let chosen = able.min(by: { (leads[$0] ?? 0, $0) < (leads[$1] ?? 0, $1) }) else {
        if partition.leader == broker { stuck[partition.name] = Self.reason(partition, others) }
        continue
      }
      leads[chosen, default: 0] += 1
      moves.append(
        .init(
          partition: partition.name, from: partition.replicas,
          to: [chosen] + others.filter { $0 != chosen } + (partition.replicas.contains(broker) ? [broker] : [])))
      if partition.leader == broker { led.append(partition.name) }
    }
    plan = ReplicaPlan(moves: moves)
    self.stuck = stuck
    self.led = led
  }

  private static func reason(_ partition: ClusterView.Partition, _ others: [Int32]) -> String {
    if partition.isMoving { return "its replicas are on the move" }
    if others.isEmpty { return "it has no other replica" }
    return "no other replica is in sync"
  }
}
