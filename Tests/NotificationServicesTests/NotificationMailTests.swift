import Mailing
import NotificationVocabulary
import Testing

@testable import notification_service

@Suite struct NotificationMailTests {
  @Test func theMailIsHTMLWithNameAndContentAsText() throws {
    let letters = try NotificationMail(from: "shop@example.com")
    let mail = try letters.mail(
      Notification(to: "an@example.com", toName: "Ân <b>", subject: "Chào", content: "1 < 2 & 3"), id: "7-1")
    #expect(mail.from.address == "shop@example.com")
    #expect(try mail.to == MailAddress("an@example.com", name: "Ân <b>"))
    #expect(mail.subject == "Chào" && mail.id == "7-1")
    #expect(mail.html.contains("Xin chào Ân &lt;b&gt;,") && mail.html.contains("<p>1 &lt; 2 &amp; 3</p>"))
    #expect(mail.html.contains("charset=\"utf-8\"") && !mail.html.contains("{{"))
  }

  @Test func whatIsNoAddressIsSaid() throws {
    #expect(throws: MailError.self) { try NotificationMail(from: "shop") }
    let letters = try NotificationMail(from: "shop@example.com")
    #expect(throws: MailError.self) {
      try letters.mail(Notification(to: "an", toName: "", subject: "", content: ""), id: "1")
    }
  }
}
