public import OttlaClient
public import OttlaErrorHandling
public import OttlaOutbox

extension OutboxMessage {
  /// A record that could not be sent, as a message that is sent later, with the id that it had.
  ///
  /// ```swift
  /// try await outbox.add(OutboxMessage(undelivered), in: transaction)
  /// ```
  public init(_ record: UndeliveredRecord) {
    self.init(
      id: record.id, topic: record.topic, key: record.key, value: record.value,
      headers: record.headers.map { OutboxMessage.Header($0.name, $0.value) })
  }
}

extension ProducerRecord {
  /// A message of an outbox, as the record to be sent: with its id in the header ``OutboxMessage/idHeader``, by which consumers know a
  /// repeat.
  ///
  /// ```swift
  /// let report = try await producer.send(ProducerRecord(message))
  /// ```
  public init(_ message: OutboxMessage) {
    self.init(
      topic: message.topic, key: message.key, value: message.value,
      headers: message.headersWithID.map { Header($0.name, $0.value) })
  }
}

extension ConsumerRecord {
  /// What the record is known by, however often it was sent: its outbox id, else its place and time. To be handed to `Inbox.once`, or
  /// to be kept as a unique key.
  ///
  /// The place of a record without an id knows only what is read again; what was sent again lies elsewhere. The time is there
  /// for topics that are deleted and made anew: their offsets begin anew too.
  ///
  /// ```swift
  /// try await database.transaction { transaction in
  ///   try await inbox.once(record.identity, in: transaction) {
  ///     try await transaction.run("UPDATE statistics SET count = count + 1")
  ///   }
  /// }
  /// ```
  public var identity: String {
    RecordIdentity.text(
      id: header(OutboxMessage.idHeader)?.text, place: "\(topicPartition)", offset: offset, timestamp: timestamp)
  }
}

/// How a record is known again.
enum RecordIdentity {
  /// As long as an outbox lets ids be, in bytes.
  private static let idBytesMax = 200

  /// - Parameter id: comes from outside: one that no outbox has written counts as none.
  static func text(id: String?, place: String, offset: Int64, timestamp: Int64?) -> String {
    if let id, (1...idBytesMax).contains(id.utf8.count), !id.utf8.contains(0) { return id }
    return "\(place)@\(offset)" + (timestamp.map { "/\($0)" } ?? "")
  }
}
