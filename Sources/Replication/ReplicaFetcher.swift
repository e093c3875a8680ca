package import Cluster
package import Primitives

/// How followers fetch: the properties called replica.fetch.*.
package struct ReplicaFetcherConfig: Hashable, Sendable {
  /// `replica.fetch.max.bytes`: of one partition.
  package var partitionBytesMax: Int32
  /// `replica.fetch.response.max.bytes`: of one answer.
  package var responseBytesMax: Int32
  /// `replica.fetch.min.bytes`: the leader waits for so many.
  package var bytesMin: Int32
  /// `replica.fetch.wait.max.ms`: but no longer than this.
  package var waitMsMax: Int32
  /// `replica.fetch.backoff.ms`: after failures; the first ones are waited out for less, for most pass in a moment (a leader
  /// that has not heard yet that it is one).
  package var backoffMs: Int64
  package init(
    partitionBytesMax: Int32, responseBytesMax: Int32, bytesMin: Int32, waitMsMax: Int32, backoffMs: Int64
  ) {
    self.partitionBytesMax = partitionBytesMax
    self.responseBytesMax = responseBytesMax
    self.bytesMin = bytesMin
    self.waitMsMax = waitMsMax
    self.backoffMs = backoffMs
  }
}

/// Fetches from one leader all the partitions that one shard follows there, one request at a time: what to ask, and what the
/// answer means. Moves no bytes and keeps no log. Answers to Kafka's `ReplicaFetcherThread` and `FetchSessionHandler`.
///
/// Can become: asking (`nextRequest`), free again (`take`, `failed`); at any time partitions come, go, or get another term.
package struct ReplicaFetcher {
  package let leader: BrokerID
  package let brokerID: BrokerID
  /// This broker's epoch: every request tells it (KIP-903). Another one begins another session.
  package var brokerEpoch: Int64 { didSet { if brokerEpoch != oldValue { forgetSession() } } }
  package var config: ReplicaFetcherConfig

  /// A partition that is fetched.
  struct Source {
    var leaderEpoch: LeaderEpoch
    /// Grows with each `add`: an answer to a request from before it means nothing.
    var generation: UInt64
    var backsOffUntil: Instant?
    /// How often in a row nothing came of it.
    var failureCount = 0
  }

  /// A partition as a request named it.
  struct Asked: Equatable {
    let key: TopicIDPartition
    let generation: UInt64
    let leaderEpoch: LeaderEpoch
    let position: FetchPosition
  }

  /// In the order of asking, which turns: the leader fills an answer from the front.
  var order: [TopicIDPartition] = []
  var sources: [TopicIDPartition: Source] = [:]
  var generation: UInt64 = 0
  /// What the request under way asked for; nil while none is.
  var asked: [TopicIDPartition: Asked]?
  /// The session at the leader, and what it holds of each partition.
  var session = Session()
  /// Whether the session has ended since the request under way was made.
  var isSessionStale = false
  /// No request before that.
  var backsOffUntil: Instant?
  /// How often in a row nothing came of a request.
  var failureCount = 0
  /// Since when a request waits for a flush; see `nextRequest`.
  var heldSince: Instant?

  /// The incremental session of KIP-227, as the leader has it after the last good answer.
  struct Session {
    /// 0: there is none.
    var id: Int32 = 0
    /// Of the next request: 0 asks for a new session.
    var epoch: Int32 = 0
    var held: [TopicIDPartition: Asked] = [:]
  }

  #if DEBUG
    var mutation: Mutation?
    /// Puts a bug of the past back.
    package mutating func mutate(_ mutation: Mutation?) { self.mutation = mutation }
  #endif

  package init(leader: BrokerID, brokerID: BrokerID, brokerEpoch: Int64, config: ReplicaFetcherConfig) {
    self.leader = leader
    self.brokerID = brokerID
    self.brokerEpoch = brokerEpoch
    self.config = config
  }

  /// Whether nothing is fetched here.
  package var isEmpty: Bool { sources.isEmpty }

  /// Whether a request is under way.
  package var isAsking: Bool { asked != nil }

  /// The partitions that are fetched, in no order that means anything, but always the same.
  package var partitions: [TopicIDPartition] { order }

  /// Fetches a partition from now on, in that term. Where it is fetched already: what is under way of it is dropped.
  package mutating func add(_ partition: TopicIDPartition, leaderEpoch: LeaderEpoch) {
    if sources[partition] == nil { order.append(partition) }
    generation += 1
    sources[partition] = Source(leaderEpoch: leaderEpoch, generation: generation)
  }

  /// Fetches a partition no more. What is under way of it is dropped.
  package mutating func remove(_ partition: TopicIDPartition) {
    guard sources.removeValue(forKey: partition) != nil else { return }
    order.removeAll { $0 == partition }
  }

  /// Leaves a partition out for a while: what came of it could not be used.
  package mutating func backOff(_ partition: TopicIDPartition, now: Instant) {
    guard var source = sources[partition] else { return }
    source.backsOffUntil = now.advanced(byMilliseconds: pauseMs(after: source.failureCount))
    source.failureCount += 1
    sources[partition] = source
  }

  /// 10 ms after the first failure, then twice as long each time, up to `replica.fetch.backoff.ms`.
  func pauseMs(after failureCount: Int) -> Int64 { min(config.backoffMs, 10 << Int64(min(failureCount, 20))) }

  /// The request under way came to nothing: no connection, no answer in time, or one that is none. The leader may have taken
  /// it, so the session is over.
  package mutating func failed(now: Instant) {
    asked = nil
    forgetSession()
    backOff(now)
  }

  mutating func backOff(_ now: Instant) {
    backsOffUntil = now.advanced(byMilliseconds: pauseMs(after: failureCount))
    failureCount += 1
  }

  /// The next request asks for a new session; an answer under way is one of the old.
  mutating func forgetSession() {
    session = Session()
    if asked != nil { isSessionStale = true }
  }

  /// When the fetcher or one of its partitions has backed off, or waited for a flush, for long enough; nil where none does.
  package func nextAttempt(after now: Instant) -> Instant? {
    if let backsOffUntil, backsOffUntil > now { return backsOffUntil }
    let held = heldSince?.advanced(byMilliseconds: Self.holdMsMax)
    return (sources.values.compactMap(\.backsOffUntil) + [held].compactMap { $0 }).filter { $0 > now }.min()
  }
}
