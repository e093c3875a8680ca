/// Reads `listeners`, `advertised.listeners` and `listener.security.protocol.map`.
enum ListenerSyntax {
  /// One entry of a listener list: name (in capitals), host (empty for all interfaces), port.
  struct Entry: Equatable {
    let name: String
    let host: String
    let port: UInt16
  }

  /// The entries of a list of `NAME://host:port`; nil where one of them is no such thing.
  static func entries(_ text: String) -> [Entry]? {
    var found: [Entry] = []
    for element in ConfigValue.elements(of: text) {
      guard let entry = entry(element) else { return nil }
      found.append(entry)
    }
    return found
  }

  private static func entry(_ text: String) -> Entry? {
    guard let slashes = text.firstIndex(of: ":") else { return nil }
    let name = text[..<slashes]
    let rest = text[slashes...]
    guard isName(name), rest.hasPrefix("://") else { return nil }
    let address = rest.dropFirst(3)
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]),
      let host = host(address[..<colon])
    else { return nil }
    return Entry(name: name.uppercased(), host: host, port: port)
  }

  /// A host name, an IPv4 address, or an IPv6 address in brackets, which are taken off.
  static func host(_ text: Substring) -> String? {
    if text.hasPrefix("[") {
      let inner = text.dropFirst().dropLast()
      let isAddress = inner.utf8.contains(UInt8(ascii: ":")) && !inner.contains("[") && !inner.contains("]")
      return text.hasSuffix("]") && isAddress ? String(inner) : nil
    }
    let forbidden = text.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
    return forbidden ? nil : String(text)
  }

  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// The protocols by listener name of a list of `NAME:PROTOCOL`; nil where one is no such thing or named twice.
  static func protocols(_ text: String) -> [String: SecurityProtocol]? {
    var found: [String: SecurityProtocol] = [:]
    for element in ConfigValue.elements(of: text) {
      let parts = element.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, isName(parts[0]), let named = SecurityProtocol(name: String(parts[1])) else { return nil }
      guard found.updateValue(named, forKey: parts[0].uppercased()) == nil else { return nil }
    }
    return found
  }

  /// The limits by address of a list of `address:limit`; nil where one is no such thing.
  static func connectionLimits(_ text: String) -> [String: Int32]? {
    var found: [String: Int32] = [:]
    for element in ConfigValue.elements(of: text) {
      guard let colon = element.lastIndex(of: ":"), colon != element.startIndex,
        let limit = Int32(element[element.index(after: colon)...]), limit >= 0
      else { return nil }
      found[String(element[..<colon])] = limit
    }
    return found
  }
}
