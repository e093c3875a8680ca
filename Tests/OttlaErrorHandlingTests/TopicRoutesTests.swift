import OttlaClient
import Testing

@testable import OttlaErrorHandling

@Suite struct TopicRoutesTests {
  private let unhurried = ErrorHandler(
    retryTopics: RetryTopics(.exponential(from: .seconds(2), upTo: .seconds(8), retries: 5)),
    whenUsedUp: .deadLetter(DeadLetters(suffix: "-dlt")))

  private func history(_ retryNumber: Int, dueMs: Int64? = nil) -> FailureHistory {
    var history = FailureHistory(TopicPartition("orders", 0), 0, timestamp: nil, headers: [], isRetry: false)
    (history.retryNumber, history.dueMs) = (retryNumber, dueMs)
    return history
  }

  @Test func aRecordGoesFromTopicToTopicAndThenToTheDeadLetters() throws {
    let routes = try TopicRoutes(["orders", "orders"], unhurried)
    #expect(routes.readTopics == ["orders", "orders-retry-0", "orders-retry-1", "orders-retry-2"])
    #expect(
      routes.topicsBeside("orders") == ["orders-retry-0", "orders-retry-1", "orders-retry-2", "orders-dlt"])
    var seen: [TopicRoutes.Destination] = []
    var topic = "orders"
    for number in 0...5 {
      let next = routes.destination(of: topic, history(number), .retriable)
      if case .retryTopic(let name, _, _) = next { topic = name }
      seen.append(next)
    }
    #expect(
      seen == [
        .retryTopic(name: "orders-retry-0", number: 1, wait: .seconds(2)),
        .retryTopic(name: "orders-retry-1", number: 2, wait: .seconds(4)),
        .retryTopic(name: "orders-retry-2", number: 3, wait: .seconds(8)),
        .retryTopic(name: "orders-retry-2", number: 4, wait: .seconds(8)),
        .retryTopic(name: "orders-retry-2", number: 5, wait: .seconds(8)),
        .deadLetters(topic: "orders-dlt"),
      ])
    #expect(routes.destination(of: "orders-retry-1", history(2), .fatal) == .deadLetters(topic: "orders-dlt"))
  }

  @Test func equalWaitsShareATopicAndManyWaitsAreNotManyTopics() {
    #expect(RetryTopics(.fixed(.seconds(5), retries: .max)).names(for: "t") == ["t-retry-0"])
    #expect(RetryTopics(.none).names(for: "t").isEmpty)
    let slow = RetryTopics(.exponential(from: .seconds(1), multiplier: 1.01, retries: .max))
    #expect(slow.names(for: "t").count == 32 && slow.topic(for: "t", retry: .max)?.name == "t-retry-31")
  }

  @Test func withoutRetryTopicsTheEndIsWhatIsSaid() throws {
    let skip = try TopicRoutes(["a"], ErrorHandler(whenUsedUp: .skip))
    #expect(skip.destination(of: "a", history(0), .retriable) == .skip && !skip.isWriting)
    let stop = try TopicRoutes(["a"], ErrorHandler(whenUsedUp: .stop))
    #expect(stop.destination(of: "a", history(0), .fatal) == .stop)
    let usual = try TopicRoutes(["^a.*"], ErrorHandler())
    #expect(usual.destination(of: "abc", history(0), .retriable) == .deadLetters(topic: "abc.DLT") && usual.isWriting)
  }

  @Test func aRecordThatIsNotToBlameGoesNowhere() throws {
    let routes = try TopicRoutes(["orders"], unhurried)
    #expect(routes.destination(of: "orders", history(0), .halting) == .stop)
    #expect(routes.destination(of: "orders-retry-1", history(2), .halting) == .stop)
    let skip = try TopicRoutes(["a"], ErrorHandler(whenUsedUp: .skip))
    #expect(skip.destination(of: "a", history(0), .halting) == .stop)
  }

  @Test func topicsMustNotBeTwoThings() {
    #expect(throws: ClientError.self) { try TopicRoutes(["orders", "orders-retry-1"], unhurried) }
    #expect(throws: ClientError.self) { try TopicRoutes(["^orders"], unhurried) }
    let same = ErrorHandler(
      retryTopics: RetryTopics(.exponential(from: .seconds(1), retries: 2), name: { topic, _ in topic + "-again" }))
    #expect(throws: ClientError.self) { try TopicRoutes(["orders"], same) }
  }

  @Test func nobodyWaitsForLongerThanTheTopicSays() throws {
    let routes = try TopicRoutes(["orders"], unhurried)
    func wait(_ topic: String, _ due: Int64?) -> Duration {
      routes.remainingWait(of: topic, history(1, dueMs: due), nowMs: 10_000)
    }
    #expect(wait("orders-retry-1", 11_500) == .milliseconds(1500))
    #expect(wait("orders-retry-1", 9000) == .zero && wait("orders-retry-1", nil) == .zero)
    #expect(wait("orders-retry-1", .max) == .seconds(4))
    #expect(wait("orders", .max) == .zero)
    #expect(routes.remainingWait(of: "orders-retry-1", history(1, dueMs: .max), nowMs: -5) == .seconds(4))
  }
}
