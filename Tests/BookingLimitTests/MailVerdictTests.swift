import Mailing
import Testing

@testable import email_service

@Suite struct MailVerdictTests {
  private func verdict(
    _ kind: MailError.Kind, code: Int = 0, mayHaveArrived: Bool = false, attempts: Int = 1
  ) -> MailVerdict {
    MailVerdict(MailError(kind, "x", code: code, mayHaveArrived: mayHaveArrived), attempts: attempts)
  }

  @Test func aServerThatSaysNoForEverIsBelieved() {
    #expect(verdict(.fatal, code: 550) == .undeliverable)
    #expect(verdict(.fatal, code: 554) == .undeliverable)
  }

  @Test func notNowIsAskedAgainForAWhile() {
    #expect(verdict(.retriable, code: 451) == .unsent)
    #expect(verdict(.retriable, code: 451, attempts: MailVerdict.attemptsMax) == .undeliverable)
  }

  @Test func whatIsNotTheMailsFaultIsNoReasonToGiveItUp() {
    for code in [0, 530, 535] { #expect(verdict(.fatal, code: code, attempts: 1_000_000) == .unsent) }
    #expect(verdict(.retriable, attempts: 1_000_000) == .unsent)
  }

  @Test func whatMayHaveArrivedIsInDoubt() {
    #expect(verdict(.retriable, mayHaveArrived: true) == .inDoubt)
    #expect(verdict(.fatal, mayHaveArrived: true, attempts: 1_000_000) == .inDoubt)
  }
}
