internal import CPostgreSQL
internal import OttlaSQL

/// Rows as libpq has them, in the text format.
enum PostgreSQLRows {
  static func result(_ result: OpaquePointer?) throws(SQLError) -> SQLResult {
    let affectedCount = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    let columnCount = PQnfields(result)
    let rowCount = PQntuples(result)
    guard columnCount > 0 else { return SQLResult(affectedCount: affectedCount) }
    let columns = (0..<columnCount).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    let types = (0..<columnCount).map { PQftype(result, $0) }
    var rows: [SQLRow] = []
    rows.reserveCapacity(Int(rowCount))
    for row in 0..<rowCount {
      var values: [SQLValue] = []
      values.reserveCapacity(columns.count)
      for column in 0..<columnCount {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
          values.append(.null)
          continue
        }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        values.append(try value(of: bytes, type: types[Int(column)]))
      }
      rows.append(SQLRow(columns: columns, values: values))
    }
    // PQcmdTuples counts the rows of a SELECT too.
    let isSelect = PQcmdStatus(result).map { String(cString: $0).hasPrefix("SELECT") } ?? false
    return SQLResult(rows: rows, affectedCount: isSelect ? 0 : affectedCount)
  }

  /// - Parameter type: the number of the type in the server's pg_type, which never changes for its own types.
  static func value(of bytes: UnsafeRawBufferPointer, type: UInt32) throws(SQLError) -> SQLValue {
    let text = String(decoding: bytes, as: UTF8.self)
    switch type {
    case 16: return .boolean(text == "t")
    case 20, 21, 23, 26:
      guard let number = Int64(text) else { throw unreadable(text, "a whole number") }
      return .integer(number)
    case 700, 701:
      guard let number = Double(text) else { throw unreadable(text, "a number") }
      return .real(number)
    case 17:
      guard let decoded = decodeHex(bytes) else { throw unreadable(String(text.prefix(20)), "bytes in hex") }
      return .bytes(decoded)
    default: return .text(text)
    }
  }

  /// Bytes as the server writes them: `\x` and two digits each.
  static func decodeHex(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count >= 2, text.count.isMultiple(of: 2), text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x")
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2 - 1)
    for index in stride(from: 2, to: text.count, by: 2) {
      guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  private static func unreadable(_ text: String, _ what: String) -> SQLError {
    SQLError(.value, "the server sent \"\(text)\" for \(what)")
  }
}
