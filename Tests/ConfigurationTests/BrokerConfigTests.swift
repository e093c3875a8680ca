import Primitives
import Testing

@testable import Configuration

@Suite("BrokerConfig")
struct BrokerConfigTests {
  @Test("by default has its own finite limits, listens on this machine, and advertises nothing")
  func defaults() {
    let config = BrokerConfig()
    #expect(config.nodeId.value == 1)
    #expect(config.listeners.map(\.text) == ["PLAINTEXT://127.0.0.1:9092"])
    #expect(config.advertisedListeners == nil)
    #expect(config.logDirs == ["./ottla-data"])
    #expect(config.maxConnections == 10_000)
    #expect(config.maxConnectionsPerIp >= 5000)
    #expect(config.queuedMaxRequestBytes == 268_435_456)
    #expect(config.groupInitialRebalanceDelayMs == 3000)
    #expect(config.offsetsTopicNumPartitions == 50)
    #expect(config.brokerRack == nil)
  }

  @Test("gives every kept field its default: no table row forgets its field")
  func everyFieldAssigned() {
    let config = BrokerConfig()
    let empty = BrokerConfig(layers: ConfigLayers())
    let mayBeEmpty: Set = [
      "brokerRack", "advertisedListeners", "maxConnectionsPerIpOverrides", "ottlaShards", "layers", "zookeeperConnect",
      "zookeeperLogin", "replicaSelector",
    ]
    for (assigned, blank) in zip(Mirror(reflecting: config).children, Mirror(reflecting: empty).children) {
      let name = assigned.label ?? ""
      if mayBeEmpty.contains(name) { continue }
      #expect("\(assigned.value)" != "\(blank.value)", "\(name)")
    }
  }

  @Test("topics take the broker's values, and their own over them")
  func topicConfig() throws {
    let config = try loaded(["log.retention.hours": "2", "log.segment.bytes": "1000", "message.max.bytes": "77"])
    let plain = config.topicConfig(overrides: [:])
    #expect(plain == config.topicDefaults)
    #expect(plain.retentionMs == 7_200_000)
    #expect(plain.segmentBytes == 1000)
    #expect(plain.maxMessageBytes == 77)

    let own = config.topicConfig(overrides: ["retention.ms": "5", "cleanup.policy": "compact,delete", "x": "y"])
    #expect(own.retentionMs == 5)
    #expect(own.cleanupPolicy == [.compact, .delete])
    #expect(own.segmentBytes == 1000)
  }

  @Test("milliseconds beat minutes beat hours, and too many hours are all the time there is")
  func units() throws {
    func topic(_ properties: [String: String]) throws -> TopicConfig { try loaded(properties).topicDefaults }
    #expect(BrokerConfig().topicDefaults.retentionMs == 604_800_000)
    #expect(try topic(["log.retention.minutes": "3", "log.retention.hours": "2"]).retentionMs == 180_000)
    #expect(try topic(["log.retention.ms": "9", "log.retention.minutes": "3"]).retentionMs == 9)
    #expect(try topic(["log.retention.hours": "-1"]).retentionMs == -1)
    #expect(try topic(["log.retention.hours": "2147483647"]).retentionMs == 2_147_483_647 * 3_600_000)
    #expect(try topic(["log.roll.hours": "1", "log.roll.jitter.hours": "1"]).segmentJitterMs == 3_600_000)
    #expect(PropertyBehind(name: "", scale: 3_600_000).inTopicUnit(.long(.max)) == String(Int64.max))
  }

  @Test("a change at run time beats the start, one broker's beats all brokers', and taking it back restores")
  func dynamic() throws {
    let config = try loaded(["log.retention.hours": "2", "max.connections": "10", "num.partitions": "4"])
    let changed = config.applying(
      dynamicBroker: ["max.connections": "30"],
      dynamicDefault: ["max.connections": "20", "log.retention.ms": "1000", "num.partitions": "9", "nonsense": "1"])
    #expect(changed.maxConnections == 30)
    #expect(changed.topicDefaults.retentionMs == 1000)
    #expect(changed.numPartitions == 4)
    #expect(changed.applying(dynamicBroker: [:], dynamicDefault: ["max.connections": "20"]).maxConnections == 20)
    #expect(changed.applying(dynamicBroker: [:], dynamicDefault: [:]) == config)
    #expect(config.applying(dynamicBroker: ["max.connections": "many"], dynamicDefault: [:]).maxConnections == 10)
  }

  @Test("data folders: log.dirs before log.dir, each once")
  func folders() throws {
    #expect(try loaded(["log.dir": "/a"]).logDirs == ["/a"])
    #expect(try loaded(["log.dir": "/a", "log.dirs": "/b, /c"]).logDirs == ["/b", "/c"])
    #expect(throws: ConfigurationError.self) { try loaded(["log.dirs": "/b,/b"]) }
    #expect(throws: ConfigurationError.self) { try loaded(["log.dirs": ""]) }
  }
}
