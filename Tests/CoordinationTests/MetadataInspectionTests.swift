import Cluster
import Effects
import KafkaProtocol
import Primitives
import Simulation
import Testing

@testable import Coordination

@Suite struct MetadataInspectionTests {
  private let directory = "/data/cluster-metadata"
  private var log: String { directory + "/metadata.log" }

  private func written(threshold: Int64 = 1 << 20) throws -> SimulatedDisk {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try LocalCoordination(fileSystem: disk, directory: directory, snapshotThresholdBytes: threshold)
    service.append([.cluster(ClusterRecord(clusterId: "an-id"))], token: RequestToken(1))
    for number in 0..<5 {
      service.append(
        [.config(ConfigRecord(resourceType: 4, resourceName: "1", name: "n\(number)", value: "v"))],
        token: RequestToken(2))
    }
    return disk
  }

  @Test func nothingIsFoundWhereNothingIsAndNothingIsMade() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let outcome = try MetadataInspection.run(directory, fileSystem: disk)
    #expect(outcome.recordCount == 0 && outcome.tornByteCount == 0 && outcome.clusterID == nil)
    #expect(!disk.exists(log))
  }

  @Test(arguments: [1 << 20, 1] as [Int64]) func theClusterIsTold(threshold: Int64) throws {
    let outcome = try MetadataInspection.run(directory, fileSystem: try written(threshold: threshold))
    #expect(outcome.clusterID == "an-id" && outcome.recordCount == 6 && outcome.tornByteCount == 0)
  }

  @Test func aTornEndIsToldAndLeft() throws {
    let disk = try written()
    let bytes = try #require(disk.contents(log))
    disk.setContents(log, Array(bytes.dropLast(3)))
    let outcome = try MetadataInspection.run(directory, fileSystem: disk)
    #expect(outcome.recordCount == 5 && outcome.tornByteCount > 0)
    #expect(disk.contents(log)?.count == bytes.count - 3)
  }

  @Test func damageIsTold() throws {
    let disk = try written()
    var bytes = try #require(disk.contents(log))
    bytes[10] ^= 1
    disk.setContents(log, bytes)
    #expect(throws: StartError.self) { try MetadataInspection.run(directory, fileSystem: disk) }
  }
}
