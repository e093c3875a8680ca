internal import OttlaSQL

/// Parameters as libpq takes them: text for everything but bytes, and the server works out the types.
struct PostgreSQLParameters {
  private var bytes: [UInt8] = []
  /// Where each begins in `bytes`; nil for a null.
  private var offsets: [Int?] = []
  private var lengths: [Int32] = []
  private var formats: [Int32] = []

  var count: Int { offsets.count }

  /// - Throws: `.value` for what cannot be sent.
  init(_ values: [SQLValue]) throws(SQLError) {
    guard values.count <= 65_535 else {
      throw SQLError(.value, "a statement with \(values.count) parameters; PostgreSQL takes 65535")
    }
    for (index, value) in values.enumerated() {
      switch value {
      case .null: append(nil)
      case .integer(let number): append(Array(String(number).utf8))
      case .real(let number): append(Array(Self.text(number).utf8))
      case .boolean(let truth): append([truth ? UInt8(ascii: "t") : UInt8(ascii: "f")])
      case .text(let text):
        guard !text.utf8.contains(0) else {
          throw SQLError(
            .value, "parameter $\(index + 1) is a text with a zero character, which PostgreSQL has no place for",
            advice: "pass bytes instead, for a column of type bytea")
        }
        append(Array(text.utf8))
      case .bytes(let bytes):
        guard bytes.count <= 1 << 30 else {
          throw SQLError(.value, "parameter $\(index + 1) has \(bytes.count) bytes; PostgreSQL takes 1073741824")
        }
        append(bytes, isBinary: true)
      }
    }
  }

  private static func text(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return String(number)
  }

  private mutating func append(_ value: [UInt8]?, isBinary: Bool = false) {
    formats.append(isBinary ? 1 : 0)
    lengths.append(Int32(value?.count ?? 0))
    offsets.append(value == nil ? nil : bytes.count)
    guard let value else { return }
    bytes += value
    // Text ends at a zero; after bytes it does no harm, and an empty value has an address.
    bytes.append(0)
  }

  func withPointers<Value>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Value
  ) -> Value {
    bytes.withUnsafeBytes { bytes in
      let pointers = offsets.map { offset in
        offset.flatMap { bytes.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
      }
      return body(pointers, lengths, formats)
    }
  }
}
