import Testing

@testable import Configuration

@Suite("What a broker knows of its cluster")
struct ClusterConfigTests {
  @Test("has Kafka's defaults")
  func defaults() throws {
    let config = try loaded([:])
    #expect(config.zookeeperSessionTimeoutMs == 18_000 && config.zookeeperConnectionTimeoutMs == 18_000)
    #expect(config.interBrokerListenerName == "PLAINTEXT")
    #expect(config.requestTimeoutMs == 30_000 && config.replicaSocketTimeoutMs == 30_000)
    #expect(config.socketConnectionSetupTimeoutMs == 10_000 && config.socketConnectionSetupTimeoutMaxMs == 30_000)
    #expect(config.controlledShutdownEnable && config.controlledShutdownMaxRetries == 3)
    #expect(config.controlledShutdownRetryBackoffMs == 5000 && config.leaderImbalanceCheckIntervalSeconds == 300)
  }

  @Test("waits for a connection to ZooKeeper as long as a session may be silent, unless told otherwise")
  func zooKeeperTimeouts() throws {
    let session = try loaded(["zookeeper.session.timeout.ms": "6000"])
    #expect(session.zookeeperConnectionTimeoutMs == 6000)
    let both = try loaded(["zookeeper.session.timeout.ms": "6000", "zookeeper.connection.timeout.ms": "7000"])
    #expect(both.zookeeperSessionTimeoutMs == 6000 && both.zookeeperConnectionTimeoutMs == 7000)
    #expect(complaints(["zookeeper.session.timeout.ms": "0"]).count == 1)
    #expect(complaints(["zookeeper.connection.timeout.ms": "-1"]).count == 1)
  }

  private let twoListeners = [
    "listeners": "OUTSIDE://:9092,INSIDE://:9093",
    "listener.security.protocol.map": "OUTSIDE:PLAINTEXT,INSIDE:PLAINTEXT",
  ]

  @Test("a listener for brokers is one of those that they are told")
  func listener() throws {
    let named = twoListeners.merging(["inter.broker.listener.name": "inside"]) { $1 }
    #expect(try loaded(named).interBrokerListenerName == "INSIDE")
    let unknown = twoListeners.merging(["inter.broker.listener.name": "ELSEWHERE"]) { $1 }
    #expect(
      complaints(unknown) == [
        "inter.broker.listener.name=ELSEWHERE (--set): must be one of the names in listeners (OUTSIDE, INSIDE)"
      ])
    let hidden = named.merging(["advertised.listeners": "OUTSIDE://h:9092"]) { $1 }
    #expect(complaints(hidden).first?.contains("advertised.listeners (OUTSIDE)") == true)
  }

  @Test("a broker of a cluster needs one; one that is alone does not")
  func noListener() throws {
    #expect(complaints(twoListeners).isEmpty)
    let inCluster = twoListeners.merging(["zookeeper.connect": "z:2181"]) { $1 }
    #expect(complaints(inCluster).count == 1)
    #expect(complaints(inCluster).first?.contains("none of them is PLAINTEXT, the default") == true)
    #expect(complaints(["zookeeper.connect": "z:2181"]).isEmpty)
  }

  @Test("brokers speak PLAINTEXT among themselves")
  func securityProtocol() throws {
    #expect(complaints(["security.inter.broker.protocol": "PLAINTEXT"]).isEmpty)
    for name in ["SSL", "SASL_PLAINTEXT", "SASL_SSL"] {
      #expect(complaints(["security.inter.broker.protocol": name]).first?.contains("not supported yet") == true)
    }
    #expect(complaints(["security.inter.broker.protocol": "PLAIN"]).count == 1)
    #expect(
      complaints(["security.inter.broker.protocol": "PLAINTEXT", "inter.broker.listener.name": "PLAINTEXT"]).count == 1,
      "one or the other, as in Kafka")
  }
}
