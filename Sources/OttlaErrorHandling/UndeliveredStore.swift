public import OttlaClient

/// A record that could not be sent, to be kept and sent later.
///
/// ```swift
/// let undelivered = UndeliveredRecord(
///   id: "order-17-paid", topic: "orders", key: Array("17".utf8), value: Array("paid".utf8),
///   headers: [Header("content-type", "text/plain")])
/// ```
///
/// Whoever reads the topic drops what he knows already:
///
/// ```swift
/// if let id = record.header(UndeliveredRecord.idHeader)?.text, await seen.contains(id) { return }
/// ```
public struct UndeliveredRecord: Hashable, Sendable {
  /// The header under which consumers find the id, by which they know a repeat: the same as an outbox uses.
  public static let idHeader = "outbox-id"

  /// What makes it this record, however often it is sent.
  public var id: String
  /// Where it goes.
  public var topic: String
  /// nil is no key.
  public var key: [UInt8]?
  /// nil is a tombstone.
  public var value: [UInt8]?
  /// Names and values beside it, without the id.
  public var headers: [Header]

  /// A record to be kept.
  public init(id: String, topic: String, key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = []) {
    self.id = id
    self.topic = topic
    self.key = key
    self.value = value
    self.headers = headers
  }
}

/// Where records are kept that could not be sent: an outbox in a database, say, which sends them later.
///
/// ```swift
/// struct OutboxKeeper: UndeliveredStore {
///   let database: SQLDatabase
///   let outbox: Outbox<SQLOutboxStore>
///
///   func keep(_ record: UndeliveredRecord) async throws {
///     // False says that its id is there already: once is enough.
///     _ = try await database.transaction { try await outbox.add(OutboxMessage(record), in: $0) }
///   }
/// }
/// ```
public protocol UndeliveredStore: Sendable {
  /// Returns when the record is safe. Keeping the same id twice keeps it once.
  ///
  /// - Throws: where the record is not safe: whoever sent it is told.
  func keep(_ record: UndeliveredRecord) async throws
}
