import Configuration
import Testing

@testable import Runtime

@Suite struct OpenFilesBudgetTests {
  private func budget(_ limit: Int, _ segmentFilesMax: Int = 4096) -> [Int] {
    let budget = OpenFilesBudget(limit: limit, segmentFilesMax: segmentFilesMax)
    return [budget.segmentFiles, budget.connections]
  }

  @Test func segmentFilesGetWhatIsAskedForWhereThereIsRoom() {
    #expect(budget(1 << 20) == [4096, (1 << 20) - 88 - 4096])
    #expect(budget(8280) == [4096, 4096])
    #expect(budget(1024, 100) == [100, 836])
  }

  @Test func whereThereIsLittleRoomItIsHalved() {
    #expect(budget(1024) == [468, 468])
    #expect(budget(256) == [84, 84])
  }

  @Test func inAClusterThereIsRoomForConnectionsToOtherBrokers() throws {
    let alone = try ConfigurationSources().load().config
    #expect(OpenFilesBudget.toBrokers(alone, shards: 8, lanes: 2) == 0)
    let settings = [(name: "zookeeper.connect", value: "z:2181")]
    let inCluster = try ConfigurationSources(settings: settings).load().config
    #expect(OpenFilesBudget.toBrokers(inCluster, shards: 8, lanes: 2) == 256)
    let budget = OpenFilesBudget(limit: 8280, segmentFilesMax: 4096, toBrokers: 256)
    #expect(budget.segmentFiles == 3968 && budget.connections == 3968)
  }

  @Test func eachGetsAFewHoweverLowTheLimitIs() {
    #expect(budget(80) == [16, 16])
    #expect(budget(0) == [16, 16])
    #expect(budget(-1) == [16, 16])
  }
}
