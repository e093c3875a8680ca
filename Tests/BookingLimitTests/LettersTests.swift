import Mailing
import ServiceSteps
import Testing

@testable import email_service

@Suite struct LettersTests {
  private func letters() throws -> Letters { try Letters(from: MailAddress("bookings@example.com")) }

  @Test func aRecordBecomesAMail() throws {
    let mail = try letters().mail(
      Email(to: "an@example.com", subject: "s", text: "<b>&"), id: "booking-limit.2026-11-29.an")
    #expect(mail.to.address == "an@example.com")
    #expect(mail.subject == "s")
    #expect(mail.html.contains("&lt;b&gt;&amp;"))
    #expect(mail.id == "booking-limit.2026-11-29.an")
  }

  /// A Message-ID leaves out what it cannot hold: "a/b" and "ab" would be one mail.
  @Test(arguments: ["", "a/b", "a b", "a\r\nb", "é", String(repeating: "a", count: 101)])
  func anIdThatAMessageIDCannotHoldIsImpossible(_ id: String) throws {
    let letters = try letters()
    #expect(throws: ImpossibleEvent.self) {
      try letters.mail(Email(to: "an@example.com", subject: "s", text: "t"), id: id)
    }
  }

  @Test func aMailToNobodyIsImpossible() throws {
    let letters = try letters()
    #expect(throws: ImpossibleEvent.self) { try letters.mail(Email(to: "an", subject: "s", text: "t"), id: "1") }
  }
}
