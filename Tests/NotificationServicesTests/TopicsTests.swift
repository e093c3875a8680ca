import OttlaClient
import OttlaSQL
import TestServers
import Testing

@testable import NotificationVocabulary

@Suite struct TopicsTests {
  private struct Wrong: Error {}

  @Test func dataAndDeadLettersHaveAsManyPartitions() {
    #expect(Topics.partitionsCount(Topics.notification) == 2 && Topics.partitionsCount(Topics.statistic) == 1)
    #expect(Topics.partitionsCount("notification.DLT") == 2 && Topics.partitionsCount("notification-dlt") == 2)
    #expect(Topics.partitionsCount("statistic.DLT") == 1)
  }

  @Test func theyAreMadeOnceWhoeverComesFirst() async throws {
    let broker = try TestBroker()
    try await broker.createTopic(Topics.statistic, partitions: 5)
    try await within(.seconds(30)) {
      for _ in 0..<2 {
        try await Topics.prepare([Topics.statistic, Topics.notification], bootstrap: broker.bootstrapServers)
      }
    }
    #expect(try await broker.admin.describeTopic(Topics.statistic).partitions.count == 5)
    #expect(try await broker.admin.describeTopic(Topics.notification).partitions.count == 2)
  }

  @Test func whatPassesIsTriedAgainAndWhatStaysIsThrown() async throws {
    var triesCount = 0
    let passing: [any Error] = [
      SQLError(.unreachable, "away"), ClientError.brokersUnavailable(bootstrapServers: "b", reason: "away"),
    ]
    try await trying("it") {
      triesCount += 1
      if triesCount <= passing.count { throw passing[triesCount - 1] }
    }
    #expect(triesCount == 3)
    for lasting: any Error in [SQLError(.authentication, "no"), ClientError.closed, Wrong()] {
      triesCount = 0
      await #expect(throws: (any Error).self) {
        try await trying("it") {
          triesCount += 1
          throw lasting
        }
      }
      #expect(triesCount == 1)
    }
  }
}
