import Groups
import KafkaProtocol
import Primitives
import Testing

/// The topics a test knows.
struct KnownTopics: TopicLookup {
  var ids: [String: UUID] = ["orders": UUID(high: 1, low: 1), "payments": UUID(high: 2, low: 2)]
  func topicExists(_ name: String) -> Bool { ids[name] != nil }
  func topicID(_ name: String) -> UUID? { ids[name] }
  func topicName(_ id: UUID) -> String? { ids.first { $0.value == id }?.key }
}

/// Randomness from a seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// A coordinator with its log and its clock: keeps the driver's promises, and checks the coordinator's.
final class GroupDriver {
  private(set) var coordinator: GroupCoordinator
  private(set) var log: [CoordinatorRecord] = []
  private(set) var answers: [RequestToken: Response] = [:]
  private(set) var askedCount: UInt64 = 0
  private(set) var nowMs: Int64 = 1_000
  var topics = KnownTopics()
  var client = GroupClient(clientID: "client", clientHost: "/127.0.0.1")
  var failsAppends = false

  init(_ config: GroupConfig = GroupConfig(), log: [CoordinatorRecord] = [], seed: UInt64 = 7, nowMs: Int64 = 1_000) {
    var random = SeededRandom(state: seed)
    coordinator = GroupCoordinator(partition: 0, config: config) { random.next() }
    self.nowMs = nowMs
    for record in log { replay(record) }
    coordinator.loaded(now: now)
  }

  var now: Instant { Instant(nanoseconds: nowMs * 1_000_000) }
  /// The wall clock stands a year later than the monotonic one: the two must not be mixed up.
  var wallClock: Timestamp { Timestamp(milliseconds: nowMs + 31_536_000_000) }
  var parked: [RequestToken] { (1...max(1, askedCount)).map(RequestToken.init).filter { answers[$0] == nil } }

  /// Hands in a request; its answer, if it came, is `answers[token]`.
  func send(_ request: GroupRequest, version: Int16) -> RequestToken {
    askedCount += 1
    let token = RequestToken(askedCount)
    take(
      coordinator.handle(
        request, version: version, from: client, token: token, now: now, wallClock: wallClock, topics: topics))
    return token
  }

  /// The answer to a request that is never parked.
  func ask(_ request: GroupRequest, version: Int16) -> Response? {
    let token = send(request, version: version)
    return answers[token]
  }

  /// Moves the clock, seeing to each deadline when it comes.
  func advance(ms: Int64) {
    let end = nowMs + ms
    var steps = 0
    while let next = coordinator.nextDeadline, next.nanoseconds <= end * 1_000_000 {
      nowMs = max(nowMs, (next.nanoseconds + 999_999) / 1_000_000)
      take(coordinator.timersFired(now: now, wallClock: wallClock))
      steps += 1
      #expect(steps < 100_000, "deadlines never end")
      if steps >= 100_000 { break }
    }
    nowMs = end
  }

  func deleteTopics(_ names: [String]) {
    for name in names { topics.ids[name] = nil }
    take(coordinator.topicsDeleted(names))
  }

  /// Loses the coordinator, as when leadership moves, and loads a new one from the log.
  func failOver(_ config: GroupConfig = GroupConfig()) {
    record(coordinator.unloaded().map { ($0.token, $0.response) })
    var random = SeededRandom(state: UInt64(nowMs))
    coordinator = GroupCoordinator(partition: 0, config: config) { random.next() }
    for record in log { replay(record) }
    coordinator.loaded(now: now)
  }

  private func take(_ effects: GroupEffects) {
    if failsAppends, !effects.records.isEmpty {
      record(effects.replies.map { ($0.token, $0.onFailure) })
      return failOver()
    }
    for record in effects.records {
      replay(record)
      log.append(record)
    }
    record(effects.replies.map { ($0.token, $0.response) })
  }

  private func replay(_ record: CoordinatorRecord) {
    coordinator.replay(record, at: Offset(Int64(log.count)))
    #expect(coordinator.unreadableRecordCount == 0)
  }

  private func record(_ replies: [(RequestToken, Response)]) {
    for (token, response) in replies {
      #expect(answers[token] == nil, "request \(token.value) is answered twice")
      answers[token] = response
    }
  }
}
