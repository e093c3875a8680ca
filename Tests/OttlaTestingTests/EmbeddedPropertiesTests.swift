import Configuration
import Observability
import Primitives
import Testing

@testable import OttlaTesting

@Suite struct EmbeddedPropertiesTests {
  private let lines = Lines()
  private var logger: Logger { Logger(sink: BrokerLog("", lines.add)) }

  @Test func theDefaultsAreKnownPropertiesThatHaveAnEffect() throws {
    for count in [1, 3, 5] {
      let properties = EmbeddedProperties(id: 1, brokerCount: count, given: [:])
      let config = try properties.load(folder: "/memory", port: 0, logger)
      #expect(config.defaultReplicationFactor == min(3, count))
      #expect((config.zookeeperConnect != nil) == (count > 1))
    }
    #expect(lines.all == [], "no warning")
  }

  @Test func whatIsGivenWins() throws {
    let properties = EmbeddedProperties(id: 2, brokerCount: 3, given: ["ottla.shards": "2", "num.partitions": "4"])
    let config = try properties.load(folder: "/memory", port: 7, logger)
    #expect(config.ottlaShards == 2 && config.numPartitions == 4)
    #expect(config.nodeId.value == 2 && config.listeners.first?.port == 7 && config.logDirs == ["/memory"])
  }
}
