/// Headers as bytes of a column: for each the name's length (2 bytes), the name, the value's length (4 bytes, all ones for a null),
/// the value; numbers big-endian.
enum HeaderCoding {
  static func encode(_ headers: [OutboxMessage.Header]) -> [UInt8] {
    var bytes: [UInt8] = []
    for header in headers {
      let name = Array(header.name.utf8)
      precondition(name.count <= 0xffff, "a header's name of \(name.count) bytes")
      bytes += [UInt8(name.count >> 8), UInt8(name.count & 0xff)] + name
      let count = header.value.map { UInt32($0.count) } ?? .max
      bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> UInt32($0)) }
      bytes += header.value ?? []
    }
    return bytes
  }

  /// Nil for what `encode` has not written.
  static func decode(_ bytes: [UInt8]) -> [OutboxMessage.Header]? {
    var headers: [OutboxMessage.Header] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let nameCount = number(2, &rest), let name = take(nameCount, &rest), let valueCount = number(4, &rest)
      else {
        return nil
      }
      let text = String(decoding: name, as: UTF8.self)
      if valueCount == Int(UInt32.max) {
        headers.append(OutboxMessage.Header(text, nil as [UInt8]?))
      } else {
        guard let value = take(valueCount, &rest) else { return nil }
        headers.append(OutboxMessage.Header(text, Array(value)))
      }
    }
    return headers
  }

  private static func number(_ byteCount: Int, _ rest: inout ArraySlice<UInt8>) -> Int? {
    take(byteCount, &rest)?.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
