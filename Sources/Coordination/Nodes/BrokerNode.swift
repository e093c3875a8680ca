internal import Cluster
internal import Primitives

/// The node `/brokers/ids/<id>`: Kafka's JSON, and what our controller decides by (incarnation, dataId, lastRun).
enum BrokerNode {
  /// A broker has a few listeners; what says more is none of ours.
  private static let endpointCountMax = 100

  static func bytes(_ presence: BrokerPresence, at time: Timestamp) -> [UInt8] {
    let first = presence.endpoints.first
    let urls = presence.endpoints.map { JSONValue.string("\($0.name)://\(bracketed($0.host)):\($0.port)") }
    let protocols = presence.endpoints.map {
      JSONMember(name: $0.name, value: .string(protocolName($0.securityProtocol)))
    }
    return JSONValue.object(
      ("version", .integer(5)), ("host", first.map { .string($0.host) } ?? .null),
      ("port", .integer(Int64(first?.port ?? -1))), ("endpoints", .array(urls)), ("jmx_port", .integer(-1)),
      ("timestamp", .string("\(time.milliseconds)")), ("rack", presence.rack.map { .string($0) } ?? .null),
      ("features", .object([])), ("listener_security_protocol_map", .object(protocols)),
      ("incarnation", .string(presence.incarnation.description)), ("dataId", .string(presence.dataID.description)),
      ("lastRun", lastRun(presence.lastRun))
    ).bytes
  }

  /// nil when the bytes are of nothing we write: another program's broker, or garbage.
  static func presence(of bytes: [UInt8], id: BrokerID) -> BrokerPresence? {
    guard let json = JSONReader.read(bytes), let urls = json["endpoints"]?.array, urls.count <= endpointCountMax,
      let incarnation = json["incarnation"]?.string.flatMap({ UUID($0) }),
      let dataID = json["dataId"]?.string.flatMap({ UUID($0) }), let lastRun = json["lastRun"].flatMap(lastRun(of:))
    else { return nil }
    var endpoints: [BrokerEndpoint] = []
    for url in urls {
      guard let endpoint = url.string.flatMap({ endpoint(of: $0, protocols: json["listener_security_protocol_map"]) })
      else { return nil }
      endpoints.append(endpoint)
    }
    return BrokerPresence(
      id: id, rack: json["rack"]?.string, endpoints: endpoints, incarnation: incarnation, dataID: dataID,
      lastRun: lastRun)
  }

  /// Where a broker is, for sentences; nil when the bytes do not say.
  static func address(of bytes: [UInt8]) -> String? {
    guard let json = JSONReader.read(bytes), let host = json["host"]?.string, let port = json["port"]?.integer else {
      return nil
    }
    return "\(host):\(port)"
  }

  private static func lastRun(_ lastRun: LastRun) -> JSONValue {
    switch lastRun {
    case .stopped(let epoch): .object(("how", .string("stopped")), ("brokerEpoch", .integer(epoch)))
    case .killed: .object(("how", .string("killed")))
    case .lost: .object(("how", .string("lost")))
    case .foldersGone: .object(("how", .string("foldersGone")))
    }
  }

  private static func lastRun(of json: JSONValue) -> LastRun? {
    switch json["how"]?.string {
    case "stopped": json["brokerEpoch"]?.integer.map { .stopped(brokerEpoch: $0) }
    case "killed": .killed
    case "lost": .lost
    case "foldersGone": .foldersGone
    case .some, nil: nil
    }
  }

  private static let protocolNames = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

  private static func protocolName(_ number: Int16) -> String {
    protocolNames.indices.contains(Int(number)) ? protocolNames[Int(number)] : "\(number)"
  }

  /// An address with colons of its own stands in brackets.
  private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

  private static func endpoint(of url: String, protocols: JSONValue?) -> BrokerEndpoint? {
    guard let marker = firstRange(of: "://", in: url), let colon = url.lastIndex(of: ":"), colon >= marker.upperBound,
      let port = Int32(url[url.index(after: colon)...])
    else { return nil }
    let name = String(url[..<marker.lowerBound])
    var host = url[marker.upperBound..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    let protocolName = protocols?[name]?.string ?? "PLAINTEXT"
    let number = protocolNames.firstIndex(of: protocolName).map { Int16($0) } ?? Int16(protocolName)
    guard let number else { return nil }
    return BrokerEndpoint(name: name, host: String(host), port: port, securityProtocol: number)
  }

  private static func firstRange(of marker: String, in text: String) -> Range<String.Index>? {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(marker) { return start..<text.index(start, offsetBy: marker.count) }
      start = text.index(after: start)
    }
    return nil
  }
}
