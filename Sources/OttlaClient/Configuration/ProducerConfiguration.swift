/// How a `Producer` works (Kafka's `ProducerConfig`). Names are the field's, in lower camel case.
///
/// ```swift
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.lingerMs = 20
/// configuration.compressionType = .zstd
/// configuration.other["socket.nagle.disable"] = "false"
/// ```
///
/// Where somebody waits for the answer, a record is rather given up soon than delivered late:
///
/// ```swift
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.deliveryTimeoutMs = 10_000
/// configuration.requestTimeoutMs = 3000  // a broker that hangs leaves time for another try
/// configuration.retryBackoffMs = 50
/// configuration.firstContactTimeoutMs = 5000  // and as long for a first broker to answer at all
/// configuration.lingerMs = 0  // each record goes out at once
/// ```
///
/// Measurements, some of which may be missing, come twice or out of order:
///
/// ```swift
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.acks = .leader
/// configuration.enableIdempotence = false  // it needs acks of all
/// configuration.maxInFlightRequestsPerConnection = 20  // 5 at most with idempotence
/// configuration.partitioner = .random
/// ```
///
/// Large documents, and a program that must stay small:
///
/// ```swift
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.messageMaxBytes = 4_000_000  // the topic must allow it too
/// configuration.batchSize = 4_000_000
/// configuration.queueBufferingMaxKbytes = 32 * 1024  // 32 MiB wait at most, then enqueue waits
/// configuration.queueBufferingMaxMessages = 10_000
/// ```
///
/// What a program watches itself by:
///
/// ```swift
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.clientId = "orders-1"
/// configuration.onError = { error in print(error.isFatal ? "cannot go on:" : "goes on:", error) }
/// configuration.statisticsIntervalMs = 60_000
/// configuration.onStatistics = { statistics in print(statistics.json) }
/// ```
public struct ProducerConfiguration: ClientConfiguration {
  /// Where to find the cluster: `host:port`, several separated by commas (`bootstrap.servers`).
  public var bootstrapServers: String
  /// The name under which brokers log this client (`client.id`).
  public var clientId = "ottla"
  /// Encryption and login.
  public var security = Security.plaintext

  /// When a record counts as delivered (`acks`).
  public var acks = Acks.all
  /// Whether a retry can neither double nor reorder records (`enable.idempotence`, KIP-98). Needs `acks == .all`.
  public var enableIdempotence = true
  /// How long a batch waits for more records, in milliseconds (`linger.ms`).
  public var lingerMs = 5
  /// The largest batch, in bytes (`batch.size`).
  public var batchSize = 1_000_000
  /// Requests under way on a connection (`max.in.flight.requests.per.connection`); 5 at most with idempotence.
  public var maxInFlightRequestsPerConnection = 5
  /// How long a record may take from `send` to its acknowledgement, retries included, in milliseconds
  /// (`delivery.timeout.ms`).
  public var deliveryTimeoutMs = 120_000
  /// How long a broker may take for a request, in milliseconds (`request.timeout.ms`).
  public var requestTimeoutMs = 30_000
  /// The wait before a request is sent again, in milliseconds (`retry.backoff.ms`).
  public var retryBackoffMs = 100
  /// How batches are compressed (`compression.type`).
  public var compressionType = Compression.none
  /// How a partition is chosen for a record that names none (`partitioner`).
  public var partitioner = Partitioner.murmur2Random
  /// The largest record, in bytes (`message.max.bytes`).
  public var messageMaxBytes = 1_000_000
  /// Records that wait or are on their way, at most; what comes then waits for room (`queue.buffering.max.messages`).
  public var queueBufferingMaxMessages = 500_000
  /// The same in KiB of keys and values (`queue.buffering.max.kbytes`).
  public var queueBufferingMaxKbytes = 262_144
  /// How long to look for a first broker before what waits is given up, in milliseconds; 0: until `deliveryTimeoutMs`.
  public var firstContactTimeoutMs = 30_000
  /// How often `onStatistics` is called, in milliseconds; 0 for never (`statistics.interval.ms`).
  public var statisticsIntervalMs = 0
  /// Every other property of librdkafka, by its name. Wins over the fields above.
  public var other: [String: String] = [:]

  /// Called with librdkafka's statistics, on its thread: do not block.
  public var onStatistics: (@Sendable (Statistics) -> Void)?
  /// Told of what passes by itself (a broker away, say) and of what does not, on librdkafka's thread: do not block.
  public var onError: (@Sendable (ClientError) -> Void)?

  /// The defaults of Kafka: idempotent, acknowledged by all in-sync replicas, keys hashed as in Java.
  public init(bootstrapServers: String) { self.bootstrapServers = bootstrapServers }

  /// When a record counts as delivered.
  ///
  /// ```swift
  /// func acks(for topic: String) -> ProducerConfiguration.Acks {
  ///   switch topic {
  ///   case "metrics": .none  // the next value comes soon
  ///   case "clicks": .leader  // some are lost when a leader fails before others have them
  ///   default: .all
  ///   }
  /// }
  /// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
  /// configuration.acks = acks(for: "clicks")
  /// configuration.enableIdempotence = configuration.acks == .all  // it needs them
  /// ```
  public enum Acks: String, Sendable {
    /// When it was sent: it may be lost.
    case none = "0"
    /// When the leader has it.
    case leader = "1"
    /// When all in-sync replicas have it.
    case all = "all"
  }

  /// How a partition is chosen from a key.
  ///
  /// Programs that write to one topic agree on it, so that a key is in one partition whoever sends it:
  ///
  /// ```swift
  /// /// What other programs that write the same keys choose partitions by.
  /// func partitioner(of client: String) -> ProducerConfiguration.Partitioner {
  ///   switch client {
  ///   case "java": .murmur2Random
  ///   case "sarama": .fnv1aRandom
  ///   default: .consistentRandom  // the default of librdkafka, on which many clients stand
  ///   }
  /// }
  /// ```
  ///
  /// ```swift
  /// /// Whether records without a key go to any partition; else all of them go to one.
  /// func spreads(_ partitioner: ProducerConfiguration.Partitioner) -> Bool {
  ///   switch partitioner {
  ///   case .murmur2Random, .consistentRandom, .fnv1aRandom, .random: true
  ///   case .murmur2, .consistent, .fnv1a: false
  ///   }
  /// }
  /// ```
  public enum Partitioner: String, Sendable {
    /// Kafka's own hash, any partition for records without a key: the same as Java's client.
    case murmur2Random = "murmur2_random"
    /// Kafka's own hash, also of no key at all.
    case murmur2
    /// librdkafka's default: CRC-32, any partition for records without a key.
    case consistentRandom = "consistent_random"
    /// CRC-32, also of no key at all.
    case consistent
    /// FNV-1a as in sarama, any partition for records without a key.
    case fnv1aRandom = "fnv1a_random"
    /// FNV-1a, also of no key at all.
    case fnv1a
    /// Any partition, whatever the key.
    case random
  }

  func properties() throws(ClientError) -> PropertyList {
    var list = common()
    list.set("acks", acks.rawValue)
    list.set("enable.idempotence", enableIdempotence)
    list.set("linger.ms", lingerMs)
    list.set("batch.size", batchSize)
    list.set("max.in.flight.requests.per.connection", maxInFlightRequestsPerConnection)
    list.set("delivery.timeout.ms", deliveryTimeoutMs)
    list.set("request.timeout.ms", requestTimeoutMs)
    list.set("retry.backoff.ms", retryBackoffMs)
    list.set("compression.type", compressionType.rawValue)
    list.set("partitioner", partitioner.rawValue)
    list.set("message.max.bytes", messageMaxBytes)
    list.set("queue.buffering.max.messages", queueBufferingMaxMessages)
    list.set("queue.buffering.max.kbytes", queueBufferingMaxKbytes)
    list.set("statistics.interval.ms", statisticsIntervalMs)
    try finish(&list, other)
    return list
  }
}

/// How record batches are compressed.
///
/// ```swift
/// func compression(of topic: String) -> Compression {
///   switch topic {
///   case "photos": .none  // compressed already
///   case "clicks": .lz4  // many of them: time counts
///   case "audit": .zstd  // kept for years: small, and still quick to make
///   case "partners": .gzip  // read by programs that know nothing newer
///   default: .snappy
///   }
/// }
/// var configuration = ProducerConfiguration(bootstrapServers: "localhost:9092")
/// configuration.compressionType = compression(of: "audit")
/// ```
public enum Compression: String, Sendable {
  /// As they are.
  case none
  /// Small, and slow to make.
  case gzip
  /// Quick, and not so small.
  case snappy
  /// Quicker than snappy, and about as small.
  case lz4
  /// Nearly as small as gzip, and much quicker.
  case zstd
}
