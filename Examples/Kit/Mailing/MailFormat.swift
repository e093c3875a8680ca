/// A mail as it goes over the wire (RFC 5322, MIME): only ASCII, lines of at most 76 characters, and nothing that a name, subject or
/// text could break out of.
enum MailFormat {
  /// - Parameters:
  ///   - seconds: when it is sent, since 1970.
  ///   - host: the right half of the Message-ID.
  static func encode(_ mail: Mail, seconds: Int64, host: String) -> [UInt8] {
    let id = String(mail.id.unicodeScalars.filter { isAtom($0) }.prefix(100).map(Character.init))
    let lines = [
      "Date: \(date(seconds))",
      "From: \(mailbox(mail.from))",
      "To: \(mailbox(mail.to))",
      "Subject: \(header(mail.subject))",
      "Message-ID: <\(id)@\(host)>",
      "MIME-Version: 1.0",
      "Content-Type: text/html; charset=utf-8",
      "Content-Transfer-Encoding: base64",
      "",
    ]
    var text = lines.joined(separator: "\r\n") + "\r\n"
    let body = Base64.encode(Array(mail.html.utf8))
    for start in stride(from: 0, to: body.count, by: 76) {
      text += String(decoding: body[start..<min(start + 76, body.count)], as: UTF8.self) + "\r\n"
    }
    return Array(text.utf8)
  }

  private static func isAtom(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": true
    default: false
    }
  }

  private static func mailbox(_ address: MailAddress) -> String {
    address.name.isEmpty ? address.address : "\(header(address.name, isPhrase: true)) <\(address.address)>"
  }

  /// A header's text: as it is where it is plain, else in encoded words (RFC 2047) of at most 64 characters.
  static func header(_ text: String, isPhrase: Bool = false) -> String {
    let isPlain =
      text.utf8.count <= 60
      && text.unicodeScalars.allSatisfy { scalar in
        isPhrase ? isAtom(scalar) && scalar != "." || scalar == " " : scalar.value >= 0x20 && scalar.value < 0x7f
      }
    // What looks like an encoded word would be decoded.
    if isPlain && !text.contains("=?") { return text }
    var words: [String] = []
    var chunk: [UInt8] = []
    for character in text.unicodeScalars {
      let bytes = Array(String(character).utf8)
      // 39 bytes are 52 characters of base64, 73 with "Subject: " and the marks; no character is cut in two.
      if chunk.count + bytes.count > 39 {
        words.append(word(chunk))
        chunk = []
      }
      chunk += bytes
    }
    if !chunk.isEmpty { words.append(word(chunk)) }
    return words.joined(separator: "\r\n ")
  }

  private static func word(_ bytes: [UInt8]) -> String {
    "=?utf-8?B?\(String(decoding: Base64.encode(bytes), as: UTF8.self))?="
  }

  /// "Thu, 01 Jan 1970 00:00:00 +0000".
  static func date(_ seconds: Int64) -> String {
    let days = Int((Double(seconds) / 86_400).rounded(.down))
    let rest = Int(seconds) - days * 86_400
    // Days since 0000-03-01 in eras of 400 years: years begin in March, so that the leap day comes last.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekday = weekdays[((days % 7) + 7) % 7]
    let time = [rest / 3600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
    return "\(weekday), \(twoDigits(day)) \(months[month - 1]) \(year) \(time) +0000"
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// Bytes in 64 characters of ASCII (RFC 4648).
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var group = 0
      for index in 0..<3 { group = group << 8 | (index < count ? Int(bytes[start + index]) : 0) }
      for index in 0..<4 {
        text.append(index <= count ? alphabet[group >> (18 - 6 * index) & 0x3f] : UInt8(ascii: "="))
      }
    }
    return text
  }
}
