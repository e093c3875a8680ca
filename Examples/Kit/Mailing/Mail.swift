/// Whom a mail is from or to.
package struct MailAddress: Sendable, Hashable {
  package let address: String
  /// As people write it, in any script.
  package let name: String

  /// - Throws: where the address is none that a mail server would take.
  package init(_ address: String, name: String = "") throws(MailError) {
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    // No blanks, controls, brackets or quotes: nothing that could end the address, and begin something else.
    let isPlain = address.unicodeScalars.allSatisfy { scalar in
      scalar.value > 0x20 && scalar.value < 0x7f && !"<>()[],;:\\\"".unicodeScalars.contains(scalar)
    }
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, isPlain, address.utf8.count <= 254 else {
      throw MailError(
        .fatal, "\"\(address)\" is no address of a mailbox", advice: "an address looks like name@example.com")
    }
    self.address = address
    self.name = name
  }
}

/// A mail with a body in HTML.
package struct Mail: Sendable, Hashable {
  package var from: MailAddress
  package var to: MailAddress
  package var subject: String
  package var html: String
  /// What makes this mail this one: the left half of its Message-ID. Mail servers that see it twice may drop the second.
  package var id: String

  package init(from: MailAddress, to: MailAddress, subject: String, html: String, id: String) {
    self.from = from
    self.to = to
    self.subject = subject
    self.html = html
    self.id = id
  }
}

/// Why a mail was not sent.
package struct MailError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// The same mail may succeed later: the server is away or busy (4xx).
    case retriable
    /// The same mail will not succeed: a wrong address, password or certificate (5xx).
    case fatal
  }

  package let kind: Kind
  /// The server's answer, from 400 to 599; 0 where it gave none.
  package let code: Int
  package let message: String
  package let advice: String
  /// The connection broke after the whole mail was sent and before the server said that it has it: it may arrive, and twice when it
  /// is sent again.
  package let mayHaveArrived: Bool
  /// It is not about this mail: no mail will be sent until somebody changes the settings (user, password, certificate).
  package let concernsSettings: Bool

  package init(
    _ kind: Kind, _ message: String, code: Int = 0, advice: String = "", mayHaveArrived: Bool = false,
    concernsSettings: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.code = code
    self.advice = advice
    self.mayHaveArrived = mayHaveArrived
    self.concernsSettings = concernsSettings
  }

  package var description: String {
    var text = message
    if code != 0 { text += " (SMTP \(code))" }
    if !advice.isEmpty { text += "; \(advice)" }
    return text
  }
}
