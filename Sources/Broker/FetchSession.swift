internal import KafkaProtocol
internal import Primitives

/// The partitions one fetcher is interested in, kept here so that it need not repeat them (KIP-227).
final class FetchSession {
  /// One partition of a session, or of a fetch without one.
  struct Partition {
    var topic: String
    var topicID: UUID
    var partition: Int32
    var fetchOffset: Int64
    var maxBytes: Int32
    var currentLeaderEpoch: Int32
    var lastFetchedEpoch: Int32
    /// Where a follower's log begins; -1 for a consumer.
    var logStartOffset: Int64 = -1
  }

  /// What the fetcher was told last of a partition: it is told again only what differs.
  private struct Told: Equatable {
    let highWatermark: Int64
    let logStartOffset: Int64
  }

  struct Key: Hashable {
    let topic: String
    let topicID: UUID
    let partition: Int32
  }

  let id: Int32
  /// The epoch that the next request must carry.
  var nextEpoch: Int32 = 1
  var lastUsed: Instant
  private(set) var partitions: [Partition] = []
  private var places: [Key: Int] = [:]
  private var told: [Key: Told] = [:]
  /// The place in `partitions` where the next answer begins.
  private var first = 0

  init(id: Int32, at now: Instant) {
    self.id = id
    lastUsed = now
  }

  static func key(_ partition: Partition) -> Key {
    // By id where there is one: a session follows a topic, not a name.
    Key(
      topic: partition.topicID.isZero ? partition.topic : "", topicID: partition.topicID, partition: partition.partition
    )
  }

  func update(_ partition: Partition) {
    let key = Self.key(partition)
    if let place = places[key] {
      partitions[place] = partition
    } else {
      places[key] = partitions.count
      partitions.append(partition)
    }
  }

  /// The partitions in the order in which the next answer has room for them.
  var partitionsInTurn: [Partition] {
    first < partitions.count ? Array(partitions[first...] + partitions[..<first]) : partitions
  }

  /// The next answer begins with `partition`, for which the last one had no room: none starves behind busy ones.
  func beginNext(with partition: Partition) { first = places[Self.key(partition)] ?? 0 }

  func forget(_ keys: Set<Key>) {
    guard !keys.isEmpty else { return }
    partitions.removeAll { keys.contains(Self.key($0)) }
    places = Dictionary(uniqueKeysWithValues: partitions.enumerated().map { (Self.key($1), $0) })
    for key in keys { told[key] = nil }
  }

  /// Whether a partition belongs into this answer: anything new, or everything in a full one. Notes what is told.
  func mustTell(
    _ partition: Partition, _ data: FetchResponse.PartitionData, hasRecords: Bool, _ isFull: Bool
  ) -> Bool {
    let key = Self.key(partition)
    let state = Told(highWatermark: data.highWatermark, logStartOffset: data.logStartOffset)
    let isNew =
      hasRecords || data.errorCode != .none || data.divergingEpoch.epoch >= 0 || data.preferredReadReplica >= 0
      || told[key] != state
    // An error is told again until it is gone. And what comes with a cut that is to be made is not taken in: a follower
    // whose log agrees then would wait for the high watermark until that moves on.
    told[key] = data.errorCode == .none && data.divergingEpoch.epoch < 0 ? state : nil
    return isNew || isFull
  }
}

/// The sessions of one shard's fetchers: a bounded number; who comes first when it is full, stays, unless it sleeps.
struct FetchSessionCache {
  private let sessionsMax: Int
  private let shard: Int
  private let shardCount: Int
  private let partitionsMax: Int
  private var sessions: [Int32: FetchSession] = [:]
  /// The partitions of all sessions together: what their memory is made of.
  private var partitionCount = 0
  private var nextID: Int32

  /// A session unused for so long gives its place to a new one: min.incremental.fetch.session.eviction.ms of Kafka.
  private static let idleMsMax: Int64 = 120_000

  /// - Parameter partitionsMax: of all shards' sessions together; whoever would go beyond gets no session.
  init(sessionsMax: Int, partitionsMax: Int = 400_000, shard: Int, shardCount: Int) {
    self.sessionsMax = max(1, sessionsMax / shardCount)
    self.partitionsMax = max(1, partitionsMax / shardCount)
    self.shard = shard
    self.shardCount = shardCount
    nextID = Int32(shard)
  }

  /// What a fetch request means: the partitions to read and the session to answer in, nil for none.
  struct Resolution {
    let session: FetchSession?
    let isFull: Bool
    let partitions: [FetchSession.Partition]
  }

  /// - Throws: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
  mutating func resolve(
    _ request: FetchRequest, _ version: Int16, _ topicName: (UUID) -> String?, at now: Instant
  ) throws(KafkaError) -> Resolution {
    let asked = Self.partitions(request, version, topicName)
    if request.sessionEpoch == -1 {
      remove(request.sessionId)
      return Resolution(session: nil, isFull: true, partitions: asked)
    }
    if request.sessionEpoch == 0 {
      remove(request.sessionId)
      let session = makeSession(for: asked.count, at: now)
      for partition in asked { session?.update(partition) }
      partitionCount += session?.partitions.count ?? 0
      return Resolution(session: session, isFull: true, partitions: asked)
    }
    guard let session = sessions[request.sessionId] else { throw KafkaError(.fetchSessionIdNotFound) }
    guard session.nextEpoch == request.sessionEpoch else { throw KafkaError(.invalidFetchSessionEpoch) }
    let usesIDs = session.partitions.first.map { !$0.topicID.isZero } ?? (version >= 13)
    guard usesIDs == (version >= 13) else { throw KafkaError(.fetchSessionTopicIdError) }
    let before = session.partitions.count
    session.forget(Self.forgotten(request))
    for partition in asked { session.update(partition) }
    partitionCount += session.partitions.count - before
    guard partitionCount <= partitionsMax else {
      // The session has grown beyond what there is room for: its fetcher is told everything, and that it has none now.
      remove(session.id)
      return Resolution(session: nil, isFull: true, partitions: session.partitionsInTurn)
    }
    session.nextEpoch = session.nextEpoch == .max ? 1 : session.nextEpoch + 1
    session.lastUsed = now
    return Resolution(session: session, isFull: false, partitions: session.partitionsInTurn)
  }

  private mutating func remove(_ id: Int32) {
    if let session = sessions.removeValue(forKey: id) { partitionCount -= session.partitions.count }
  }

  private mutating func makeSession(for count: Int, at now: Instant) -> FetchSession? {
    guard partitionCount + count <= partitionsMax else { return nil }
    if sessions.count >= sessionsMax {
      let idle = sessions.values
        .filter { now.milliseconds(since: $0.lastUsed) > Self.idleMsMax }
        .min { ($0.lastUsed, $0.id) < ($1.lastUsed, $1.id) }
      guard let idle else { return nil }
      remove(idle.id)
    }
    // Ids of different shards never meet, so that a request that reaches another shard finds nothing rather than a stranger's.
    repeat {
      nextID = nextID > Int32.max - Int32(shardCount) ? Int32(shard) : nextID + Int32(shardCount)
    } while nextID == 0 || sessions[nextID] != nil
    let session = FetchSession(id: nextID, at: now)
    sessions[nextID] = session
    return session
  }

  private static func partitions(
    _ request: FetchRequest, _ version: Int16, _ topicName: (UUID) -> String?
  ) -> [FetchSession.Partition] {
    request.topics.flatMap { topic in
      topic.partitions.map { partition in
        FetchSession.Partition(
          topic: version >= 13 ? "" : topic.topic, topicID: version >= 13 ? topic.topicId : .zero,
          partition: partition.partition, fetchOffset: partition.fetchOffset, maxBytes: partition.partitionMaxBytes,
          currentLeaderEpoch: partition.currentLeaderEpoch, lastFetchedEpoch: partition.lastFetchedEpoch,
          logStartOffset: partition.logStartOffset)
      }
    }
  }

  private static func forgotten(_ request: FetchRequest) -> Set<FetchSession.Key> {
    Set(
      request.forgottenTopicsData.flatMap { topic in
        topic.partitions.map {
          FetchSession.Key(topic: topic.topicId.isZero ? topic.topic : "", topicID: topic.topicId, partition: $0)
        }
      })
  }
}
