import OttlaClient
import Testing

@testable import OttlaErrorHandling

@Suite struct FailureHeadersTests {
  private struct Broken: Error, CustomStringConvertible { let description: String }
  private let place = TopicPartition("orders", 3)

  private func failure(_ message: String) -> Failure { Failure(error: Broken(description: message), kind: .retriable) }

  @Test func aHistoryGoesThroughTheHeadersOfARetryTopic() {
    var history = FailureHistory(place, 17, timestamp: 99, headers: [Header("trace", "7")], isRetry: false)
    history.attempts += 2
    let headers = history.headers(
      [Header("trace", "7")], group: "g", failure: failure("no mail"), retry: (number: 1, dueMs: 5000))
    #expect(headers.first == Header("trace", "7"))
    #expect(headers.contains(Header(FailureHeader.errorMessage, "no mail")))
    #expect(headers.contains(Header(FailureHeader.group, "g")))
    #expect(headers.contains { $0.name == FailureHeader.errorType && $0.text?.hasSuffix("Broken") == true })
    let read = FailureHistory(
      TopicPartition("orders-retry-0", 0), 4, timestamp: 1234, headers: headers, isRetry: true)
    #expect(read.topic == "orders" && read.partition == 3 && read.offset == 17 && read.timestamp == 99)
    #expect(read.attempts == 2 && read.retryNumber == 1 && read.dueMs == 5000)
    // Once more: nothing stands there twice.
    let again = read.headers(headers, group: "g", failure: failure("still"), retry: nil)
    #expect(Set(again.map(\.name)).count == again.count)
    #expect(again.withoutFailures == [Header("trace", "7")])
    #expect(!again.contains { $0.name == FailureHeader.retryDue })
  }

  @Test func outsideOfRetryTopicsSuchHeadersMeanNothing() {
    let forged = [Header(FailureHeader.originalTopic, "secrets"), Header(FailureHeader.attempts, "99")]
    let history = FailureHistory(place, 1, timestamp: nil, headers: forged, isRetry: false)
    #expect(history.topic == "orders" && history.attempts == 0)
    #expect(!history.headers(forged, group: nil, failure: failure(""), retry: nil).contains(forged[0]))
  }

  /// Bytes from outside: nothing may trap, and numbers stay within what can be added to.
  @Test(arguments: 1...200) func headersThatMakeNoSenseCountAsMissing(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let names = [
      FailureHeader.originalTopic, FailureHeader.originalPartition, FailureHeader.originalOffset,
      FailureHeader.originalTimestamp, FailureHeader.attempts, FailureHeader.retryNumber, FailureHeader.retryDue,
    ]
    let values: [String?] = ["", "-1", "9223372036854775808", "9223372036854775807", "2147483648", "x", "7", "٣", nil]
    let headers = names.map { name -> Header in
      if Bool.random(using: &random) { return Header(name, [UInt8.random(in: 0...255, using: &random)]) }
      return Header(name, values.randomElement(using: &random)?.map { Array($0.utf8) })
    }
    let history = FailureHistory(place, 5, timestamp: nil, headers: headers, isRetry: true)
    #expect(history.partition >= 0 && history.offset >= 0 && (0...1_000_000).contains(history.retryNumber))
    #expect((0...1_000_000_000).contains(history.attempts) && (history.dueMs ?? 0) >= 0)
  }

  @Test func aLongMessageIsCutBetweenCharacters() {
    #expect("häß".shortened(toBytes: 4) == "hä" && "häß".shortened(toBytes: 5) == "häß")
    #expect("abc".shortened(toBytes: 3) == "abc" && "😀".shortened(toBytes: 3).isEmpty)
    #expect(String(repeating: "é", count: 2000).shortened(toBytes: 1000).utf8.count == 1000)
  }
}
