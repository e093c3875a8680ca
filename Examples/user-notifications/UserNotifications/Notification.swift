/// What one user tells another. Its JSON is the value of a record, and the receiver's id the key: so all that one user receives
/// lies in one partition, in the order in which it was sent.
package struct Notification: Codable, Hashable, Sendable {
  /// The longest message, in bytes of UTF-8.
  package static let messageBytesMax = 4000

  package let from: User
  package let to: User
  package let message: String

  package init(from: User, to: User, message: String) throws(NotificationError) {
    self.from = from
    self.to = to
    self.message = message
    try checkMessage()
  }

  /// The key of its record.
  package var key: String { Self.key(of: to) }

  /// The key of the records for `user`.
  package static func key(of user: User) -> String { "\(user.id)" }

  /// Whether it is what the producer server would have sent. Anybody may write to a topic, so whoever reads looks.
  ///
  /// - Parameter key: that of its record.
  package func check(key: String?, directory: UserDirectory) throws(NotificationError) {
    try checkMessage()
    guard key == self.key else { throw .otherKey(key, expected: self.key) }
    guard directory.users.contains(where: { $0.id == to.id }) else { throw .unknownReceiver(to.id) }
  }

  private func checkMessage() throws(NotificationError) {
    if message.isEmpty { throw .emptyMessage }
    if message.utf8.count > Self.messageBytesMax { throw .messageTooLong(byteCount: message.utf8.count) }
  }
}

/// What is wrong with a notification.
package enum NotificationError: Error, Hashable, Sendable, CustomStringConvertible {
  case emptyMessage
  case messageTooLong(byteCount: Int)
  case otherKey(String?, expected: String)
  case unknownReceiver(Int)

  package var description: String {
    switch self {
    case .emptyMessage: "the message is empty"
    case .messageTooLong(let byteCount):
      "the message has \(byteCount) bytes, and \(Notification.messageBytesMax) are allowed"
    case .otherKey(let key, let expected):
      "the record's key is \(key.map { "\"\($0)\"" } ?? "null"); it must be the receiver's id, \"\(expected)\""
    case .unknownReceiver(let id): "there is no user \(id) to receive it"
    }
  }
}
