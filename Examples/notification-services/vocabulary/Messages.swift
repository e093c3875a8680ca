package import Foundation

/// What somebody who wants an account says of himself.
package struct NewAccount: Codable, Hashable, Sendable {
  package let name: String
  package let email: String

  package init(name: String, email: String) {
    self.name = name
    self.email = email
  }

  private static let nameCharactersMax = 100
  /// As long as an address may be (RFC 5321).
  private static let emailBytesMax = 254

  /// What is wrong with it, as a sentence; nil where nothing is.
  package var mistake: String? {
    let isReadable = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard name.contains(where: { !$0.isWhitespace }), name.count <= Self.nameCharactersMax, isReadable else {
      return "the name must be 1 to \(Self.nameCharactersMax) characters of one line"
    }
    // Whether there is such a mailbox, only its server knows.
    let parts = email.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = email.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f }
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, isPlain, email.utf8.count <= Self.emailBytesMax
    else { return "the email must look like name@example.com" }
    return nil
  }
}

/// The value of a record of topic `notification`: a mail to be sent.
package struct Notification: Codable, Hashable, Sendable {
  package let to: String
  package let toName: String
  package let subject: String
  package let content: String

  package init(to: String, toName: String, subject: String, content: String) {
    self.to = to
    self.toName = toName
    self.subject = subject
    self.content = content
  }
}

/// The value of a record of topic `statistic`: that something happened, and when.
package struct Statistic: Codable, Hashable, Sendable {
  package let message: String
  package let createdDate: Date

  package init(message: String, createdDate: Date) {
    self.message = message
    self.createdDate = createdDate
  }
}
