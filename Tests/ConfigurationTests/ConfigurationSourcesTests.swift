import Primitives
import Testing

@testable import Configuration

@Suite("ConfigurationSources")
struct ConfigurationSourcesTests {
  @Test("flags beat settings beat the environment beats the file beats the defaults")
  func precedence() throws {
    var file = "num.partitions=2\n"
    var environment: [String: String] = [:]
    var settings: [(name: String, value: String)] = []
    var flags: [(name: String, value: String)] = []
    func partitions() throws -> Int32 {
      try ConfigurationSources(file: file, environment: environment, settings: settings, flags: flags)
        .load().config.numPartitions
    }
    #expect(try partitions() == 2)
    file += "num.partitions=3"
    #expect(try partitions() == 3)
    environment["KAFKA_NUM_PARTITIONS"] = "4"
    #expect(try partitions() == 4)
    settings = [("num.partitions", "5"), ("num.partitions", "6")]
    #expect(try partitions() == 6)
    flags = [("num.partitions", "7")]
    #expect(try partitions() == 7)
  }

  @Test(
    "environment names",
    arguments: [
      ("KAFKA_NUM_PARTITIONS", "num.partitions"), ("KAFKA_A__B___C", "a_b-c"), ("KAFKA_X____Y", "x-.y"),
      ("KAFKA_LOG_DIRS_", "log.dirs."), ("KAFKA_OTTLA_SHARDS", "ottla.shards"), ("KAFKA_HEAP_OPTS", nil),
      ("KAFKA_JMX_PORT", nil), ("KAFKA_LOG4J_ROOT_LOGLEVEL", nil), ("KAFKA_PORT", nil), ("KAFKA_SERVICE_HOST", nil),
      ("KAFKA_", nil), ("PATH", nil), ("kafka_num_partitions", nil),
    ])
  func environmentNames(variable: String, name: String?) {
    #expect(EnvironmentNames.property(variable) == name)
  }

  @Test("all bad values are told at once, with value, what is allowed, and where they came from")
  func badValues() {
    let sources = ConfigurationSources(
      file: "# header\nlog.retention.ms = soon\n", environment: ["KAFKA_NUM_PARTITIONS": "0"],
      settings: [("ssl.key.password", "x"), ("group.min.session.timeout.ms", "2000000")],
      flags: [("node.id", "-4")])
    #expect(throws: ConfigurationError.self) { try sources.load() }
    do throws(ConfigurationError) {
      _ = try sources.load()
    } catch {
      #expect(
        error.description == """
          group.min.session.timeout.ms=2000000 (--set): must be at most group.max.session.timeout.ms (1800000)
          log.retention.ms=soon (properties file, line 2): must be a long, at least 1, or -1
          node.id=-4 (command line): must be an int, at least 0
          num.partitions=0 (environment variable KAFKA_NUM_PARTITIONS): must be an int, at least 1
          """)
    }
  }

  @Test("secrets are not shown in errors")
  func secrets() {
    let long = String(repeating: "s", count: ConfigValue.bytesMax + 1)
    #expect(complaints(["ssl.key.password": long]) == ["ssl.key.password=[hidden] (--set): must be a password"])
  }

  @Test(
    "what is asked for and cannot be kept is refused, not ignored",
    arguments: [
      "authorizer.class.name", "create.topic.policy.class.name", "alter.config.policy.class.name",
    ])
  func unsupported(name: String) {
    #expect(complaints([name: "something"]).count == 1)
    #expect(complaints([name: ""]).isEmpty)
  }

  @Test("unknown names and names without effect are warned of, by name; defaults are not")
  func warnings() throws {
    let sources = ConfigurationSources(
      file: "num.partitons=3\nnum.io.threads=16\nqueued.max.requests=500\nlistener.name.x.ssl.key.password=p\n"
        + "replication.quota.window.num=5\ncompression.zstd.level=9",
      environment: ["KAFKA_FOO": "1", "KAFKA_OPTS": "-X"])
    let warnings = try sources.load().warnings
    #expect(
      warnings == [
        .unknownName("foo", .environment(variable: "KAFKA_FOO")),
        .withoutEffect("listener.name.x.ssl.key.password", .file(line: 4)),
        .withoutEffect("num.io.threads", .file(line: 2)),
        .unknownName("num.partitons", .file(line: 1)),
        .withoutEffect("replication.quota.window.num", .file(line: 5)),
      ])
    #expect(try ConfigurationSources().load().warnings.isEmpty)
  }

  @Test("node.id and broker.id are one: the stronger place counts, one place must not contradict itself")
  func nodeNumber() throws {
    #expect(try loaded(["broker.id": "7"]).nodeId.value == 7)
    #expect(try loaded(["broker.id": "7", "node.id": "7"]).nodeId.value == 7)
    #expect(complaints(["broker.id": "7", "node.id": "8"]) == ["broker.id=7 (--set): must be the same as node.id (8)"])
    let mixed = ConfigurationSources(file: "broker.id=1\nnode.id=1", flags: [("node.id", "2")])
    #expect(try mixed.load().config.nodeId.value == 2)
    let environment = ConfigurationSources(file: "node.id=1", environment: ["KAFKA_BROKER_ID": "9"])
    #expect(try environment.load().config.nodeId.value == 9)
  }

  @Test("there are at most 64 shards")
  func shards() throws {
    #expect(try loaded(["ottla.shards": "64"]).ottlaShards == 64)
    #expect(complaints(["ottla.shards": "65"]) == ["ottla.shards=65 (--set): must be an int, between 0 and 64"])
  }

  @Test("limits that contradict each other are refused")
  func contradictions() {
    #expect(complaints(["queued.max.request.bytes": "1000"]).count == 1)
    #expect(complaints(["queued.max.request.bytes": "-1"]).isEmpty)
    #expect(complaints(["socket.request.max.bytes": "300000000"]).count == 1)
    #expect(
      complaints(["log.cleaner.min.compaction.lag.ms": "10", "log.cleaner.max.compaction.lag.ms": "5"]).count == 1)
  }
}
