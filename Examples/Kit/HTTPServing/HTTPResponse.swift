internal import FoundationEssentials

/// What a client gets.
package struct HTTPResponse: Sendable, Hashable {
  package var status: Int
  /// In the order in which they are sent.
  package var headers: [Header]
  package var body: [UInt8]

  package struct Header: Sendable, Hashable {
    package let name: String
    package let value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(status: Int = 200, headers: [Header] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package static func text(_ text: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, headers: [Header("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
  }

  package static func html(_ text: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, headers: [Header("Content-Type", "text/html; charset=utf-8")], body: Array(text.utf8))
  }

  /// A value as JSON, its keys in alphabetical order.
  ///
  /// - Throws: what the value's own encoding throws.
  package static func json(_ value: some Encodable, status: Int = 200) throws -> HTTPResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(value)
    return HTTPResponse(
      status: status, headers: [Header("Content-Type", "application/json")], body: Array(data))
  }
}

/// What a handler throws instead of answering: a status and a sentence, sent as `{"error": "..."}`.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
  package let status: Int
  package let message: String

  package init(_ status: Int, _ message: String) {
    self.status = status
    self.message = message
  }

  package var description: String { "\(status): \(message)" }

  var response: HTTPResponse {
    struct Body: Encodable { let error: String }
    return (try? .json(Body(error: message), status: status)) ?? .text(message, status: status)
  }
}
