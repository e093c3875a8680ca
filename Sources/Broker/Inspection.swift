package import Cluster
internal import Primitives
package import Replication

/// What a simulation sees of a shard, beside what clients do.
extension Shard {
  /// The image of the cluster that this shard works by.
  package var clusterImage: ClusterImage { image }

  /// Every partition that this shard holds, in an order that is always the same.
  package func forEachPartition(_ body: (Partition) -> Void) {
    for hosted in hostedPartitions where !hosted.isGone { body(hosted.partition) }
  }

  /// The partition of that topic and number, if this shard holds it.
  package func partition(_ key: TopicIDPartition) -> Partition? { hosted(key)?.partition }
}
