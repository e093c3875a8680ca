internal import CMicrohttpd

/// What the library knows of a request by name and value.
enum RequestValues {
  private final class Pairs {
    var all: [(name: [UInt8], value: [UInt8])] = []
  }

  private static func pairs(_ kind: MHD_ValueKind, of connection: OpaquePointer) -> [(name: [UInt8], value: [UInt8])] {
    let pairs = Pairs()
    withExtendedLifetime(pairs) {
      _ = MHD_get_connection_values(
        connection, kind,
        { context, _, name, value in
          guard let context, let name else { return ottla_http_yes }
          let pairs = Unmanaged<Pairs>.fromOpaque(context).takeUnretainedValue()
          pairs.all.append((Array(String(cString: name).utf8), value.map { Array(String(cString: $0).utf8) } ?? []))
          return ottla_http_yes
        }, Unmanaged.passUnretained(pairs).toOpaque())
    }
    return pairs.all
  }

  /// By name in lower case; the last of several.
  static func headers(of connection: OpaquePointer) -> [String: String] {
    var headers: [String: String] = [:]
    for (name, value) in pairs(ottla_http_header_kind, of: connection) {
      headers[String(decoding: name, as: UTF8.self).lowercased()] = String(decoding: value, as: UTF8.self)
    }
    return headers
  }

  /// Nil where an argument cannot be decoded. The library has split them, and has made blanks of the pluses.
  static func query(of connection: OpaquePointer) -> FormFields? {
    var fields: [FormFields.Field] = []
    for (name, value) in pairs(ottla_http_argument_kind, of: connection) {
      guard let name = FormFields.decode(name, plusIsBlank: true),
        let value = FormFields.decode(value, plusIsBlank: true)
      else { return nil }
      fields.append(FormFields.Field(name, value))
    }
    return FormFields(fields)
  }
}
