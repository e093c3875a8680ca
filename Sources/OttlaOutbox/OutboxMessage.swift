/// A message that is to reach a topic because a transaction was committed.
///
/// ```swift
/// let message = OutboxMessage(
///   id: "order-17-shipped", topic: "orders", key: "17", text: "shipped",
///   headers: [OutboxMessage.Header("content-type", "text/plain")])
/// ```
///
/// `OttlaOutboxProducer` makes records of messages. For another client a publisher takes them apart:
///
/// ```swift
/// let publisher = OutboxPublisher(store) { message in
///   // Not `headers`: the id goes with them, and consumers know a repeat by it.
///   let headers = message.headersWithID.map { (name: $0.name, value: $0.value ?? []) }
///   try await client.send(message.topic, key: message.key, value: message.value, headers: headers)
/// }
/// ```
public struct OutboxMessage: Sendable, Hashable {
  /// A header of a record.
  public struct Header: Sendable, Hashable {
    /// Its name; names may repeat.
    public let name: String
    /// Its value; nil is null.
    public let value: [UInt8]?

    /// A header of bytes.
    public init(_ name: String, _ value: [UInt8]?) {
      self.name = name
      self.value = value
    }

    /// A header of text, in UTF-8.
    public init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }
  }

  /// The header that carries the id to consumers: what they hand to `Inbox.once`.
  ///
  /// ```swift
  /// guard let id = record.header(OutboxMessage.idHeader)?.text else { return }   // from no outbox
  /// try await database.transaction { transaction in
  ///   try await inbox.once(id, in: transaction) {
  ///     try await transaction.run("UPDATE statistics SET count = count + 1")
  ///   }
  /// }
  /// ```
  public static let idHeader = "outbox-id"

  /// What makes this message this one, however often it is sent.
  public let id: String
  /// The topic it goes to.
  public let topic: String
  /// Messages of one topic with the same key are published in the order in which they were added.
  public let key: [UInt8]?
  /// The record's value; nil is a tombstone.
  public let value: [UInt8]?
  /// The message's own headers, without its id.
  public let headers: [Header]

  /// A message of bytes.
  ///
  /// - Parameters:
  ///   - id: up to 200 bytes. An id of the business ("order-17-shipped") makes adding it twice harmless; without one, it is random.
  ///   - topic: 1 to 249 bytes.
  public init(
    id: String = OutboxMessage.randomID(), topic: String, key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = []
  ) {
    self.id = id
    self.topic = topic
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// A message whose key and value are text.
  public init(
    id: String = OutboxMessage.randomID(), topic: String, key: String?, text: String, headers: [Header] = []
  ) {
    self.init(id: id, topic: topic, key: key.map { Array($0.utf8) }, value: Array(text.utf8), headers: headers)
  }

  /// The headers for the record: the message's own, and its id.
  public var headersWithID: [Header] { headers + [Header(Self.idHeader, id)] }

  /// 128 random bits in hex.
  ///
  /// ```swift
  /// let id = OutboxMessage.randomID()
  /// try await outbox.add(OutboxMessage(id: id, topic: "mails", key: name, text: text), in: transaction)
  /// print("the mail to \(name) is \(id)")   // the consumer's log has the same id
  /// ```
  public static func randomID() -> String {
    var generator = SystemRandomNumberGenerator()
    return [generator.next(), generator.next()].map { (half: UInt64) in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// A message that cannot be kept as it is.
///
/// ```swift
/// do {
///   // The id is a client's, and may be anything.
///   try await outbox.add(OutboxMessage(id: id, topic: "orders", key: nil, text: text), in: transaction)
/// } catch let error as OutboxMessageError {
///   answer(400, error.description)   // the id of a message is 300 long; 1 to 200 is allowed
/// }
/// ```
public struct OutboxMessageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, as a sentence.
  public let description: String
}

extension OutboxMessage {
  /// - Throws: where the id, the topic or a header has a length that is not allowed.
  func validate() throws(OutboxMessageError) {
    try Self.check("the id", id.utf8.count, 1...200)
    try Self.check("the topic", topic.utf8.count, 1...249)
    try Self.check("the number of headers", headers.count, 0...1000)
    for header in headers {
      try Self.check("the name of a header", header.name.utf8.count, 1...32_767)
      guard header.name != Self.idHeader else {
        throw OutboxMessageError(
          description: "the header \(Self.idHeader) is the outbox's own; set the message's id instead")
      }
    }
  }

  private static func check(_ what: String, _ length: Int, _ allowed: ClosedRange<Int>) throws(OutboxMessageError) {
    guard allowed.contains(length) else {
      throw OutboxMessageError(
        description: "\(what) of a message is \(length) long; \(allowed.lowerBound) to \(allowed.upperBound) is allowed"
      )
    }
  }
}
