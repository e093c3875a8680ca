/// Names and values of a form or a query, in the order in which they came.
package struct FormFields: Sendable, Hashable {
  package struct Field: Sendable, Hashable {
    package let name: String
    package let value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package let fields: [Field]

  package init(_ fields: [Field]) { self.fields = fields }

  /// Reads `a=1&b=two+words`; nil for a % without two hex digits, and for what is not UTF-8.
  package init?(encoded: [UInt8]) {
    var fields: [Field] = []
    for part in encoded.split(separator: UInt8(ascii: "&")) {
      let halves = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decode(halves[0], plusIsBlank: true),
        let value = halves.count > 1 ? Self.decode(halves[1], plusIsBlank: true) : ""
      else { return nil }
      fields.append(Field(name, value))
    }
    self.fields = fields
  }

  /// The first value with this name.
  package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  /// The value with this name.
  ///
  /// - Throws: 400 where there is none, or an empty one.
  package func required(_ name: String) throws(HTTPError) -> String {
    guard let value = self[name], !value.isEmpty else { throw HTTPError(400, "the field \"\(name)\" is missing") }
    return value
  }

  static func decode(_ text: some Sequence<UInt8>, plusIsBlank: Bool) -> String? {
    var bytes: [UInt8] = []
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
