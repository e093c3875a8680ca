import Foundation
import Testing

@testable import Mailing

@Suite struct MailFormatTests {
  private func format(subject: String, name: String = "", html: String = "x", id: String = "1") throws -> String {
    let mail = Mail(
      from: try MailAddress("a@b.c", name: name), to: try MailAddress("d@e.f"), subject: subject, html: html, id: id)
    return String(decoding: MailFormat.encode(mail, seconds: 0, host: "h"), as: UTF8.self)
  }

  @Test func plainHeadersStayAndOthersAreEncoded() {
    #expect(MailFormat.header("Hello, world!") == "Hello, world!")
    #expect(MailFormat.header("Hello, world!", isPhrase: true) == "=?utf-8?B?SGVsbG8sIHdvcmxkIQ==?=")
    #expect(MailFormat.header("é") == "=?utf-8?B?w6k=?=")
    #expect(MailFormat.header("=?utf-8?B?w6k=?=") != "=?utf-8?B?w6k=?=")
  }

  @Test func nothingBreaksOutOfAHeader() throws {
    let evil = "x\r\nBcc: everybody@example.com\r\n\r\nbody"
    for text in [try format(subject: evil), try format(subject: "s", name: evil), try format(subject: "s", id: evil)] {
      #expect(!text.contains("\r\nBcc"))
      let lines = text.components(separatedBy: "\r\n")
      #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.contains("\n") && !$0.contains("\r") })
      #expect(lines.filter { $0.isEmpty }.count == 2)
    }
  }

  @Test func anAddressIsOneAddress() {
    for wrong in ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "a@b>", "\"a\"@b", "é@b"] {
      #expect(throws: MailError.self, "\(wrong)") { try MailAddress(wrong) }
    }
    #expect(throws: Never.self) { try MailAddress("a.b+c@example.co.uk") }
  }

  @Test func base64IsThatOfFoundation() {
    for count in 0..<100 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      #expect(String(decoding: Base64.encode(bytes), as: UTF8.self) == Data(bytes).base64EncodedString())
    }
  }

  @Test func datesAreThoseOfTheCalendar() {
    #expect(MailFormat.date(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
    #expect(MailFormat.date(951_827_696) == "Tue, 29 Feb 2000 12:34:56 +0000")
    #expect(MailFormat.date(-1) == "Wed, 31 Dec 1969 23:59:59 +0000")
    #expect(MailFormat.date(4_107_542_400) == "Mon, 01 Mar 2100 00:00:00 +0000")
  }
}
