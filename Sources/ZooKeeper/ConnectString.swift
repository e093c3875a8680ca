/// `zookeeper.connect`: the servers of an ensemble, and the path below which everything is.
package struct ConnectString: Hashable, Sendable {
  /// `host:port`, separated by commas.
  package let servers: String
  /// Such as `/kafka`; empty for none.
  package let chroot: String

  /// Reads `host:port,host:port/path`; the port is 2181 where there is none. nil when a host or port is missing or wrong, or
  /// the path is no path.
  package init?(_ text: String) {
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    var chroot = text[slash...]
    while chroot.hasSuffix("/") { chroot.removeLast() }
    var servers: [String] = []
    for server in text[..<slash].split(separator: ",", omittingEmptySubsequences: false) {
      guard let server = Self.server(server) else { return nil }
      servers.append(server)
    }
    let parts = chroot.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard !servers.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
    self.servers = servers.joined(separator: ",")
    self.chroot = String(chroot)
  }

  private static func server(_ text: Substring) -> String? {
    var text = text
    while text.hasPrefix(" ") { text.removeFirst() }
    while text.hasSuffix(" ") { text.removeLast() }
    guard !text.isEmpty, !text.contains(" ") else { return nil }
    // An IPv6 address stands in brackets; colons inside them are its own.
    let bracket = text.lastIndex(of: "]") ?? text.startIndex
    guard let colon = text[bracket...].lastIndex(of: ":") else { return "\(text):2181" }
    guard colon > text.startIndex, let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
    return String(text)
  }
}
