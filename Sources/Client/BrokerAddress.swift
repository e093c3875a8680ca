/// Where a broker listens: a host name or address, and a port.
package struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
  /// A name, an IPv4 address, or an IPv6 address without its brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// The port brokers listen on when nothing else is said.
  package static let defaultPort: UInt16 = 9092

  /// Reads `host`, `host:port` or `[IPv6]:port`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard !host.isEmpty, let port = Self.port(after: rest) else { return nil }
      self.init(host: String(host), port: port)
      return
    }
    let colon = text.firstIndex(of: ":") ?? text.endIndex
    let host = text[..<colon]
    guard !host.isEmpty, !host.contains(where: \.isWhitespace), let port = Self.port(after: text[colon...]) else {
      return nil
    }
    self.init(host: String(host), port: port)
  }

  /// The port of `:9092`, the default one of nothing at all, nil of anything else.
  private static func port(after rest: some StringProtocol) -> UInt16? {
    if rest.isEmpty { return defaultPort }
    guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
    return port
  }

  /// Reads a comma-separated list, as `bootstrap.servers` is written; nil when one is wrong or there is none.
  package static func list(_ text: String) -> [BrokerAddress]? {
    var addresses: [BrokerAddress] = []
    for part in text.split(separator: ",") {
      guard let address = BrokerAddress(part) else { return nil }
      addresses.append(address)
    }
    return addresses.isEmpty ? nil : addresses
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
