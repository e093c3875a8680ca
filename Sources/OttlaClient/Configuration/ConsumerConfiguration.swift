/// How a `Consumer` works (Kafka's `ConsumerConfig`). Names are the field's, in lower camel case.
///
/// ```swift
/// var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "billing")
/// configuration.autoOffsetReset = .earliest
/// configuration.bufferedBytesMax = 8 << 20
/// ```
///
/// A member of a group that moves as little as possible when programs come and go:
///
/// ```swift
/// configuration.groupInstanceId = "billing-3"  // the name of the machine: it keeps its partitions over a restart
/// configuration.sessionTimeoutMs = 60_000  // which may take a minute
/// configuration.heartbeatIntervalMs = 10_000
/// configuration.partitionAssignmentStrategy = [.cooperativeSticky]
/// configuration.onRebalance = { rebalance in print(rebalance.kind, rebalance.partitions) }
/// ```
///
/// A program that gathers records before it writes them says itself, by `consumer.store`, up to where they are
/// processed:
///
/// ```swift
/// configuration.enableAutoOffsetStore = false
/// configuration.enableAutoCommit = true
/// configuration.autoCommitIntervalMs = 1000  // after a crash the records of a second come twice
/// ```
///
/// A program that moves much and may wait a little lets the broker gather records:
///
/// ```swift
/// configuration.fetchMinBytes = 64 << 10
/// configuration.fetchMaxWaitMs = 1000
/// configuration.isolationLevel = .readUncommitted  // it copies, and does not ask whether transactions were kept
/// configuration.allowAutoCreateTopics = true  // a topic that is missing is made, where the broker allows
/// configuration.metadataRefreshMs = 60_000  // new topics are rare
/// ```
///
/// What a program watches itself by:
///
/// ```swift
/// configuration.clientId = "billing-3"
/// configuration.firstContactTimeoutMs = 5000  // a wrong address shows soon
/// configuration.onError = { error in print("brokers: \(error)") }
/// configuration.statisticsIntervalMs = 60_000
/// configuration.onStatistics = { statistics in print(statistics.json) }
/// configuration.other["socket.keepalive.enable"] = "true"  // has no field of its own
/// ```
public struct ConsumerConfiguration: ClientConfiguration {
  /// Where to find the cluster: `host:port`, several separated by commas (`bootstrap.servers`).
  public var bootstrapServers: String
  /// The name under which brokers log this client (`client.id`).
  public var clientId = "ottla"
  /// Encryption and login.
  public var security = Security.plaintext

  /// The group whose members share the partitions (`group.id`); nil for a reader of its own, which can only `assign`.
  public var groupId: String?
  /// A name that outlives the process: a member that comes back under it within the session gets its partitions without
  /// a rebalance (`group.instance.id`, KIP-345).
  public var groupInstanceId: String?
  /// Where to begin in a partition without a committed offset (`auto.offset.reset`).
  public var autoOffsetReset = AutoOffsetReset.latest
  /// Whether offsets of processed records are committed every `autoCommitIntervalMs`, before partitions are let go
  /// and on close (`enable.auto.commit`).
  public var enableAutoCommit = true
  /// How often, in milliseconds (`auto.commit.interval.ms`).
  public var autoCommitIntervalMs = 5000
  /// Whether a record counts as processed when the loop asks for the next one. Else only `store(_:)` says so.
  public var enableAutoOffsetStore = true
  /// How the group shares partitions out (`partition.assignment.strategy`).
  public var partitionAssignmentStrategy = [AssignmentStrategy.range, .roundRobin]
  /// How long a member may be silent before the group goes on without it, in milliseconds (`session.timeout.ms`).
  public var sessionTimeoutMs = 45_000
  /// How often a member is heard of, in milliseconds (`heartbeat.interval.ms`).
  public var heartbeatIntervalMs = 3000
  /// The bytes of records that wait to be asked for, what librdkafka needs for each included. When as much is there,
  /// nothing more is fetched; one answer a broker may come on top.
  ///
  /// Divided into `queued.max.messages.kbytes`, `queued.min.messages`, `fetch.max.bytes` and `fetch.message.max.bytes`. At least 1 MiB.
  public var bufferedBytesMax = 64 << 20
  /// The bytes for which a broker waits before it answers a fetch (`fetch.min.bytes`).
  public var fetchMinBytes = 1
  /// How long it waits for them, in milliseconds (`fetch.wait.max.ms`).
  public var fetchMaxWaitMs = 500
  /// Whether records of transactions are seen before these are decided (`isolation.level`).
  public var isolationLevel = IsolationLevel.readCommitted
  /// Whether subscribing to a topic that is not there makes it, where the broker allows (`allow.auto.create.topics`).
  public var allowAutoCreateTopics = false
  /// How soon new topics and partitions are noticed, in milliseconds (`topic.metadata.refresh.interval.ms`).
  public var metadataRefreshMs = 10_000
  /// How long to look for a first broker before reading throws, in milliseconds; 0: for ever.
  public var firstContactTimeoutMs = 30_000
  /// How often `onStatistics` is called, in milliseconds; 0 for never (`statistics.interval.ms`).
  public var statisticsIntervalMs = 0
  /// Every other property of librdkafka, by its name. Wins over the fields above.
  public var other: [String: String] = [:]

  /// Told before the records of new partitions come, and before partitions are let go (Kafka's
  /// `ConsumerRebalanceListener`). Reading rests until it returns.
  ///
  /// Do not wait in it for the loop that reads. What it commits counts: the partitions are still this member's.
  public var onRebalance: (@Sendable (Rebalance) async -> Void)?
  /// Called with librdkafka's statistics, on its thread: do not block.
  public var onStatistics: (@Sendable (Statistics) -> Void)?
  /// Told of what passes by itself (a broker away, say) and of what does not, on librdkafka's thread: do not block.
  public var onError: (@Sendable (ClientError) -> Void)?

  /// The defaults of Kafka: a member of `groupId` that commits by itself what was processed.
  public init(bootstrapServers: String, groupId: String? = nil) {
    self.bootstrapServers = bootstrapServers
    self.groupId = groupId
  }

  /// Where to begin in a partition without a committed offset.
  ///
  /// ```swift
  /// var view = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "search")
  /// view.autoOffsetReset = .earliest  // an index needs all that was ever sent
  /// var alarm = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "alarm")
  /// alarm.autoOffsetReset = .latest  // what is past alarms nobody
  /// var billing = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "billing")
  /// billing.autoOffsetReset = .error  // better to stop than to bill twice, or not at all
  /// ```
  public enum AutoOffsetReset: String, Sendable {
    /// At the oldest record.
    case earliest
    /// Behind the newest record: what was sent before is not read.
    case latest
    /// Nowhere: reading throws.
    case error
  }

  /// How a group shares partitions out. All members must have one in common.
  ///
  /// ```swift
  /// var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "billing")
  /// configuration.partitionAssignmentStrategy = [.cooperativeSticky]
  /// // A group whose members of another language know none but the older two.
  /// var mixed = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "reports")
  /// mixed.partitionAssignmentStrategy = [.roundRobin, .range]
  /// ```
  public enum AssignmentStrategy: String, Sendable {
    /// Neighbours of each topic together.
    case range
    /// One each in turn.
    case roundRobin = "roundrobin"
    /// As few moves as possible, and nothing that stays is interrupted (KIP-429). Not together with the other two.
    case cooperativeSticky = "cooperative-sticky"
  }

  /// Which records of transactions are seen.
  ///
  /// ```swift
  /// var billing = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "billing")
  /// billing.isolationLevel = .readCommitted  // never sees what a transaction took back
  /// var inspector = ConsumerConfiguration(bootstrapServers: "localhost:9092")
  /// inspector.isolationLevel = .readUncommitted  // shows all that lies in the log, also of transactions under way
  /// ```
  public enum IsolationLevel: String, Sendable {
    /// Those of committed transactions only.
    case readCommitted = "read_committed"
    /// All.
    case readUncommitted = "read_uncommitted"
  }
}

extension ConsumerConfiguration {
  /// librdkafka's bookkeeping for a record that waits, in bytes.
  private static let recordOverheadBytes = 400

  func properties() throws(ClientError) -> PropertyList {
    var list = common()
    // librdkafka wants a group even where none is joined; nothing is ever committed to this one.
    list.set("group.id", groupId ?? "ottla.no-group")
    list.set("group.instance.id", groupInstanceId)
    list.set("auto.offset.reset", autoOffsetReset.rawValue)
    list.set("enable.auto.commit", enableAutoCommit && groupId != nil)
    list.set("auto.commit.interval.ms", autoCommitIntervalMs)
    list.set("enable.auto.offset.store", false)
    list.set("enable.partition.eof", true)
    list.set(
      "partition.assignment.strategy", partitionAssignmentStrategy.map(\.rawValue).joined(separator: ","))
    list.set("session.timeout.ms", sessionTimeoutMs)
    list.set("heartbeat.interval.ms", heartbeatIntervalMs)
    list.set("max.poll.interval.ms", max(300_000, sessionTimeoutMs))
    list.set("fetch.min.bytes", fetchMinBytes)
    list.set("fetch.wait.max.ms", fetchMaxWaitMs)
    list.set("isolation.level", isolationLevel.rawValue)
    list.set("allow.auto.create.topics", allowAutoCreateTopics)
    list.set("topic.metadata.refresh.interval.ms", metadataRefreshMs)
    list.set("statistics.interval.ms", statisticsIntervalMs)
    try addLimits(to: &list)
    try finish(&list, other)
    return list
  }

  /// How many records wait in librdkafka, and how many of their bytes: half of the budget is bookkeeping, a quarter bytes, and the
  /// rest is what is in the reader's hands and the answer that is coming.
  var waitingMax: (records: Int, bytes: Int) {
    (max(1, bufferedBytesMax / 2 / Self.recordOverheadBytes), bufferedBytesMax / 4)
  }

  private func addLimits(to list: inout PropertyList) throws(ClientError) {
    guard bufferedBytesMax >= 1 << 20, bufferedBytesMax <= 1 << 31 else {
      throw .invalidValue(
        property: "bufferedBytesMax", value: "\(bufferedBytesMax)", reason: "it must be from 1 MiB to 2 GiB")
    }
    let fetchBytes = min(max(bufferedBytesMax / 64, 1 << 16), 50 << 20)
    list.set("queued.max.messages.kbytes", waitingMax.bytes / 1024)
    list.set("queued.min.messages", min(waitingMax.records, 10_000_000))
    list.set("message.max.bytes", min(fetchBytes, 1_000_000))
    list.set("fetch.max.bytes", fetchBytes)
    list.set("fetch.message.max.bytes", min(fetchBytes, 1 << 20))
  }
}
