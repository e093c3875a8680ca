internal import FoundationEssentials

/// What a client asked for.
package struct HTTPRequest: Sendable {
  package let method: String
  /// The path as it came, without the query.
  package let path: String
  /// What the braces of the route stand for, decoded: `["userID": "3"]`.
  package let parameters: [String: String]
  /// The arguments after the question mark, decoded.
  package let query: FormFields
  /// By name, in lower case.
  package let headers: [String: String]
  package let body: [UInt8]

  package init(
    method: String, path: String, parameters: [String: String] = [:], query: FormFields = FormFields([]),
    headers: [String: String] = [:], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.parameters = parameters
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The fields of a form (`application/x-www-form-urlencoded`).
  ///
  /// - Throws: 415 for another kind of body, 400 for one that cannot be read.
  package func form() throws(HTTPError) -> FormFields {
    try expect("application/x-www-form-urlencoded")
    guard let fields = FormFields(encoded: body) else {
      throw HTTPError(400, "the form cannot be read: a % must be followed by two hex digits, and the text be UTF-8")
    }
    return fields
  }

  /// The JSON body.
  ///
  /// - Throws: 415 for another kind of body, 400 for one that is not what `Value` is read from.
  package func json<Value: Decodable>(as type: Value.Type = Value.self) throws(HTTPError) -> Value {
    try expect("application/json")
    do {
      return try JSONDecoder().decode(type, from: Data(body))
    } catch let error as DecodingError {
      throw HTTPError(400, Self.sentence(error))
    } catch {
      throw HTTPError(400, "the body is not JSON")
    }
  }

  private func expect(_ type: String) throws(HTTPError) {
    let given = headers["content-type"] ?? ""
    guard given.split(separator: ";").first?.trimmed.lowercased() == type else {
      throw HTTPError(415, "the body must be \(type); it is \(given.isEmpty ? "of no named type" : given)")
    }
  }

  private static func sentence(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, _): return "the field \"\(key.stringValue)\" is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "the field \"\(place(context))\" is of the wrong type"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty ? "the body is not JSON" : "the field \"\(place(context))\" cannot be read"
    @unknown default: return "the body cannot be read"
    }
  }
}

extension Substring {
  /// Without blanks at its ends.
  var trimmed: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
