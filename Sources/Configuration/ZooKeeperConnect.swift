/// Where the ZooKeeper ensemble is, and below which node the cluster keeps its metadata: a parsed `zookeeper.connect`.
package struct ZooKeeperConnect: Sendable, Hashable {
  /// One server of the ensemble.
  package struct Server: Sendable, Hashable {
    /// A host name or address; an IPv6 address stands without its brackets.
    package let host: String
    package let port: UInt16
  }

  /// At least one, in the order given.
  package let servers: [Server]
  /// The path of the node, such as `/kafka`; empty for the root.
  package let chroot: String

  /// ZooKeeper's own port, for servers that are given without one.
  static let defaultPort: UInt16 = 2181
  /// The most servers and the longest path that are taken: more is a slip.
  static let serversMax = 64
  static let chrootBytesMax = 512

  /// As ZooKeeper's clients take it: `host:port,host:port/chroot`.
  package var text: String { serversText + chroot }

  /// The servers alone, `host:port,host:port`.
  package var serversText: String {
    servers.map { ($0.host.contains(":") ? "[\($0.host)]" : $0.host) + ":\($0.port)" }.joined(separator: ",")
  }

  /// Reads `HOST:PORT[,HOST:PORT...][/chroot]`; nil where it is no such thing.
  package init?(_ text: String) {
    let text = text.trimmed
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    guard let chroot = Self.chroot(text[slash...]) else { return nil }
    let elements = text[..<slash].split(separator: ",", omittingEmptySubsequences: false)
    guard elements.count <= Self.serversMax else { return nil }
    var servers: [Server] = []
    for element in elements {
      guard let server = Self.server(String(element).trimmed), !servers.contains(server) else { return nil }
      servers.append(server)
    }
    self.servers = servers
    self.chroot = chroot
  }

  private static func server(_ text: String) -> Server? {
    guard !text.isEmpty else { return nil }
    // A colon behind the brackets, or the only one.
    let colon =
      text.hasPrefix("[") ? text.firstRange(of: "]:")?.upperBound : text.lastIndex(of: ":").map(text.index(after:))
    guard let colon else {
      return ListenerSyntax.host(text[...]).flatMap { $0.isEmpty ? nil : Server(host: $0, port: defaultPort) }
    }
    guard let port = UInt16(text[colon...]), port > 0,
      let host = ListenerSyntax.host(text[..<text.index(before: colon)]), !host.isEmpty
    else { return nil }
    return Server(host: host, port: port)
  }

  /// The root's path is the empty one.
  private static func chroot(_ text: Substring) -> String? {
    if text.isEmpty || text == "/" { return "" }
    let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    let isSound = parts.allSatisfy { part in
      !part.isEmpty && part != "." && part != ".." && part.unicodeScalars.allSatisfy(isAllowed)
    }
    return isSound && text.utf8.count <= chrootBytesMax ? String(text) : nil
  }

  /// What ZooKeeper takes in a path, but for a few code points that nobody types; and no spaces or commas, which are slips.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value > 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar != ","
      && !(0xf000...0xf8ff).contains(scalar.value) && !(0xfff0...0xffff).contains(scalar.value)
  }
}
