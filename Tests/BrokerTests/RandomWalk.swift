import Cluster
import KafkaProtocol
import Primitives
import Records
import Simulation
import TestSupport
import Testing

@testable import Broker

/// Clients of all kinds at a broker of several shards, in a random order of everything: bytes, messages, room in the
/// network, failing writes, lost processes. And what must hold all the same.
final class Walk {
  /// What is known of a topic. Its version changes when a deletion or a creation is sent, and when it is answered.
  struct Topic {
    var version = 0
    var exists = false
    var isChanging = false
    /// Values ever sent to a partition, acknowledged or not.
    var sent: [Int32: Set<String>] = [:]
    /// Values that were acknowledged before the topic was deleted.
    var gone: Set<String> = []
    /// Those of the deletion that is under way.
    var leaving: Set<String> = []
    /// No log begins behind what was asked for: the highest offset before which records were to be deleted.
    var startMax: [Int32: Int64] = [:]
    /// Where logs begin at least, for so it was answered.
    var startMin: [Int32: Int64] = [:]
    /// Records that were acknowledged, or that a consumer saw: value by offset.
    var acknowledged: [Int32: [Int64: String]] = [:]
  }

  enum Asked {
    case produce(topic: String, partition: Int32, values: [String], version: Int)
    case fetch(topic: String, partition: Int32, version: Int)
    case change(topic: String, creates: Bool)
    case commit(group: Int, offset: Int64)
    case delete(topic: String, partition: Int32, version: Int)
    case other
  }

  final class Walker {
    let client: SimulatedClient
    var asked: [Asked] = []
    init(_ client: SimulatedClient) { self.client = client }
  }

  static let partitionCount: Int32 = 3
  let broker: SimulatedBroker
  let random: SeededRandom
  var topics: [String: Topic] = ["a": Topic(), "b": Topic()]
  /// This one is compacted, where there is a disk that loses things. The first character of a value is its key.
  static let compacted = "c"
  var walkers: [Walker] = []
  var nextValue = 0
  /// The offset that each group committed last, and one that may have been.
  var committed: [Int: Int64] = [:]
  var committing: [Int: Int64] = [:]
  /// Offsets whose commits failed: a record that reached its file but not the disk may be there after the next start.
  var doubtful: [Int: Set<Int64>] = [:]
  var hasFailed = false
  var isFull = false
  /// Whether the disk has been full since the start: late answers may still tell.
  var wasFull = false
  /// Whether requests may fail for the disk's sake.
  var mayFail: Bool { hasFailed || isFull }
  var acknowledgedCount = 0
  /// Acknowledged records that compaction was seen to have removed.
  var compactedCount = 0

  init(seed: UInt64, shards: Int) throws {
    random = SeededRandom(seed: seed &* 977)
    broker = try SimulatedBroker(shards: shards, seed: seed, settings: [(name: "log.segment.bytes", value: "4096")])
    try makeOffsetsTopic()
    connectAll()
  }

  /// On two data folders of a disk that loses what was not synced.
  init(seed: UInt64, shards: Int, on disk: SimulatedDisk) throws {
    random = SeededRandom(seed: seed &* 977)
    broker = try SimulatedBroker(
      shards: shards, seed: seed, simulatedDisk: disk,
      settings: [
        (name: "log.dirs", value: "/data,/other"), (name: "log.segment.bytes", value: "2048"),
        (name: "log.cleaner.backoff.ms", value: "50"), (name: "log.cleaner.min.cleanable.ratio", value: "0.1"),
        (name: "log.cleaner.dedupe.buffer.size", value: "1048576"),
        (name: "ottla.disk.free.bytes.low", value: "0"), (name: "ottla.disk.free.bytes.min", value: "0"),
      ])
    topics[Self.compacted] = Topic()
    try makeOffsetsTopic()
    connectAll()
  }

  private func makeOffsetsTopic() throws {
    let client = broker.connect()
    client.send(.findCoordinator(FindCoordinatorRequest(coordinatorKeys: ["g"])), version: 4, key: .findCoordinator)
    broker.settle()
    _ = try client.takeOne()
  }

  func connectAll() {
    walkers = (0..<4).map { _ in
      let client = broker.connect(to: random.below(broker.shardCount))
      if random.chance(oneIn: 3) { client.roomByteCount = random.below(100) }
      return Walker(client)
    }
  }
}
