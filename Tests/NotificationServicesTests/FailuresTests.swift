import Mailing
import OttlaErrorHandling
import Testing

@testable import notification_service

@Suite struct FailuresTests {
  @Test func aMailServerThatIsAwayPassesAndAWrongAddressDoesNot() throws {
    let judge = Failures.judge
    #expect(judge.kind(of: MailError(.retriable, "away")) == .retriable)
    #expect(judge.kind(of: MailError(.fatal, "no such mailbox", code: 550)) == .fatal)
    #expect(judge.kind(of: MailError(.fatal, "wrong password", code: 535, concernsSettings: true)) == .halting)
    let mistake = #expect(throws: MailTemplate.Mistake.self) { try MailTemplate("{{name}}").html([:]) }
    #expect(judge.kind(of: try #require(mistake)) == .fatal)
    let address = #expect(throws: MailError.self) { try MailAddress("nobody") }
    #expect(judge.kind(of: try #require(address)) == .fatal)
  }

  @Test func retriesAreAsPromised() throws {
    let patient = Failures.patient.backOff
    #expect((1...3).map { patient.wait(beforeRetry: $0) } == [.seconds(1), .seconds(1), nil])
    let unhurried = try #require(Failures.unhurried.retryTopics)
    let waits = (1...5).map { unhurried.backOff.wait(beforeRetry: $0) }
    #expect(waits == [.seconds(2), .seconds(4), .seconds(8), .seconds(16), nil])
    guard case .deadLetter(let first) = Failures.patient.whenUsedUp,
      case .deadLetter(let second) = Failures.unhurried.whenUsedUp
    else {
      Issue.record("no dead letters")
      return
    }
    #expect(first.name("notification") == "notification.DLT" && second.name("notification") == "notification-dlt")
  }
}
