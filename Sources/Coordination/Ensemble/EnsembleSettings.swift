package import Cluster
package import Primitives

/// What a broker brings to the ensemble.
package struct EnsembleSettings: Sendable {
  /// The broker's `node.id`.
  package var brokerID: BrokerID
  /// Everything is below this path: as in `zookeeper.connect`, empty for none. It is made when it is missing.
  package var chroot: String
  /// The cluster that the broker's folders belong to (`cluster.id` of meta.properties); nil for none yet.
  package var clusterID: String?
  /// Whether this broker may found a cluster where there is none: not one whose folders are of a cluster, or hold partitions
  /// of one, that it has no metadata of.
  package var mayFound = true
  /// What a cluster is founded with: the metadata that this broker had as a single node, in order. Topics keep their ids.
  package var foundingRecords: [MetadataRecord] = []
  /// For sentences: where the ensemble is, as in `zookeeper.connect`.
  package var address = "ZooKeeper"
  /// A node of the metadata log, or a chunk of a snapshot, has at most about so many bytes; ZooKeeper takes 1 MiB at once.
  package var nodeBytesMax = 512 << 10
  /// After so many log nodes the controller writes a snapshot.
  package var snapshotNodeCount: Int64 = 1000
  /// After so many bytes of log nodes, too.
  package var snapshotBytes: Int64 = 8 << 20
  #if DEBUG
    /// The bug of the past that this service is to have.
    package var mutation: Mutation?
  #endif
  package init(brokerID: BrokerID, chroot: String = "", clusterID: String? = nil) {
    self.brokerID = brokerID
    self.chroot = chroot
    self.clusterID = clusterID
  }
}
