import Cluster
import Configuration
import KafkaProtocol
import Observability
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite struct CoordinationStartTests {
  private func start(clusterID: String?, holdsPartitions: Bool, wasAlone: Bool = false) throws -> CoordinationStart {
    var image = ClusterImage()
    if wasAlone { image.replay(.cluster(ClusterRecord(clusterId: "alone")), at: .zero) }
    let config = try ConfigurationSources().load().config
    return CoordinationStart(
      config: config, surroundings: BrokerSurroundings(), logger: Logger(sink: LogLines(), levelMin: .error),
      unusedFolders: UnusedFolders(among: [], LinuxFileSystem()), clusterID: clusterID, localImage: image,
      holdsPartitions: holdsPartitions)
  }

  /// A broker whose folders say that there was a cluster founds none, though it holds no partitions: the others' would be
  /// nobody's then.
  @Test func onlyWhoIsNewOrWasAloneFoundsACluster() throws {
    #expect(try start(clusterID: nil, holdsPartitions: false).mayFound)
    #expect(try start(clusterID: "alone", holdsPartitions: true, wasAlone: true).mayFound)
    #expect(try !start(clusterID: "one", holdsPartitions: false).mayFound)
    #expect(try !start(clusterID: "one", holdsPartitions: true).mayFound)
    #expect(try !start(clusterID: nil, holdsPartitions: true).mayFound)
  }
}
