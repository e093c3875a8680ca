internal import Foundation
internal import NotificationVocabulary
internal import OttlaJSON
internal import OttlaOutbox
internal import OttlaSQL

/// The accounts, and what the world is to hear of them: both in one database, and so both or neither.
struct Accounts: Sendable {
  static let notificationsPerAccount = 100
  private static let triesMax = 3

  private let database: SQLDatabase
  private let outbox: Outbox<SQLOutboxStore>

  init(_ database: SQLDatabase, _ store: SQLOutboxStore) {
    self.database = database
    outbox = Outbox(store)
  }

  /// Makes the tables where they are not there.
  func prepare() async throws {
    try await outbox.prepare()
    try await database.run(
      """
      CREATE TABLE IF NOT EXISTS accounts (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, created TIMESTAMPTZ NOT NULL DEFAULT now())
      """)
  }

  /// Writes down the account and, as unsent, all its messages.
  ///
  /// - Parameter id: of the account. Opening it again under the same id changes nothing.
  /// - Throws: `SQLError`.
  func open(_ account: NewAccount, id: String = OutboxMessage.randomID(), now: Date = Date()) async throws {
    let messages = try Self.messages(for: account, id: id, now: now)
    for tryNumber in 1... {
      do {
        return try await write(account, id, messages)
      } catch let error as SQLError where error.isRetriable && tryNumber < Self.triesMax {
        // A connection that broke, also where nobody knows whether the commit came about: the id tells.
        continue
      }
    }
  }

  private func write(_ account: NewAccount, _ id: String, _ messages: [OutboxMessage]) async throws {
    try await database.transaction { transaction in
      let added = try await transaction.run(
        """
        INSERT INTO accounts (id, name, email) VALUES (\(id), \(account.name), \(account.email)) ON CONFLICT (id) DO NOTHING
        """)
      guard added.affectedCount == 1 else { return }
      for message in messages { try await outbox.add(message, in: transaction) }
    }
  }

  /// A hundred mails and one line of statistics. Without keys: any partition may have any of them.
  static func messages(for account: NewAccount, id: String, now: Date) throws -> [OutboxMessage] {
    let mails = try (1...notificationsPerAccount).map { number in
      let notification = Notification(
        to: account.email, toName: account.name, subject: "Chào mừng \(account.name) (\(number))",
        content: "Tài khoản của bạn đã được tạo. Đây là thông báo số \(number) trên \(notificationsPerAccount).")
      return OutboxMessage(
        id: "\(id)-\(number)", topic: Topics.notification,
        value: try JSONCodec().serialize(notification, topic: Topics.notification))
    }
    let statistic = Statistic(message: "account \(account.email) was created", createdDate: now)
    let line = OutboxMessage(
      id: "\(id)-statistic", topic: Topics.statistic,
      value: try JSONCodec().serialize(statistic, topic: Topics.statistic))
    return mails + [line]
  }
}
