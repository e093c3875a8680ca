import Foundation
import NotificationVocabulary
import OttlaJSON
import Testing

@Suite struct MessagesTests {
  @Test(arguments: [
    ("An", "an@example.com"), ("Nguyễn Văn An", "a.b+c@example.co.uk"), (String(repeating: "é", count: 100), "a@b"),
  ])
  func anAccountMayBeSo(_ name: String, _ email: String) {
    #expect(NewAccount(name: name, email: email).mistake == nil)
  }

  @Test(arguments: [
    ("", "an@example.com", "the name"), ("  ", "an@example.com", "the name"), ("a\nb", "an@example.com", "the name"),
    ("a\0", "an@example.com", "the name"), (String(repeating: "x", count: 101), "an@example.com", "the name"),
    ("An", "", "the email"), ("An", "an", "the email"), ("An", "an@", "the email"), ("An", "@b", "the email"),
    ("An", "a@b@c", "the email"), ("An", "a b@c", "the email"), ("An", "a@b\r\nBcc: c@d", "the email"),
    ("An", "é@b", "the email"), ("An", String(repeating: "x", count: 250) + "@b.vn", "the email"),
  ])
  func anAccountMustNotBeSo(_ name: String, _ email: String, _ part: String) {
    #expect(NewAccount(name: name, email: email).mistake?.hasPrefix(part) == true)
  }

  /// What others read: the names of the fields, and a date that every language knows.
  @Test func theJSONIsTheOneAgreedUpon() throws {
    let notification = NotificationVocabulary.Notification(to: "a@b", toName: "An", subject: "s", content: "c")
    let json = try JSONCodec<NotificationVocabulary.Notification>().serialize(notification, topic: "notification")
    #expect(String(decoding: json ?? [], as: UTF8.self) == #"{"content":"c","subject":"s","to":"a@b","toName":"An"}"#)
    let statistic = Statistic(message: "m", createdDate: Date(timeIntervalSince1970: 0))
    let line = try JSONCodec<Statistic>().serialize(statistic, topic: "statistic")
    #expect(String(decoding: line ?? [], as: UTF8.self) == #"{"createdDate":"1970-01-01T00:00:00Z","message":"m"}"#)
  }
}
