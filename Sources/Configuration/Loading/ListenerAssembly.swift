// Listeners take four properties together: where, named how, protected how, told to clients how.

extension BrokerConfig {
  mutating func assembleListeners(_ complaints: inout [PropertyComplaint]) {
    let controllers = Set(ConfigValue.elements(of: text("controller.listener.names")).map { $0.uppercased() })
    guard let protocols = protocolMap(controllers: controllers, &complaints) else { return }
    listeners = opened(controllers: controllers, protocols: protocols, &complaints)
    advertisedListeners = advertised(protocols: protocols, &complaints)
  }

  private func protocolMap(
    controllers: Set<String>, _ complaints: inout [PropertyComplaint]
  ) -> [String: SecurityProtocol]? {
    let name = "listener.security.protocol.map"
    guard let protocols = ListenerSyntax.protocols(text(name)) else {
      let known = SecurityProtocol.allCases.map(\.name).joined(separator: ", ")
      complaints.append(
        PropertyComplaint(name: name, allowed: "a list of NAME:PROTOCOL, each name once, PROTOCOL one of \(known)"))
      return nil
    }
    return protocols
  }

  /// The listeners to open: those of the list that are no controller's.
  private func opened(
    controllers: Set<String>, protocols: [String: SecurityProtocol], _ complaints: inout [PropertyComplaint]
  ) -> [ListenerConfig] {
    func refuse(_ allowed: String) -> [ListenerConfig] {
      complaints.append(PropertyComplaint(name: "listeners", allowed: allowed))
      return []
    }
    guard let entries = ListenerSyntax.entries(text("listeners")) else { return refuse("a list of NAME://host:port") }
    guard Set(entries.map(\.name)).count == entries.count else { return refuse("a list that names no listener twice") }
    let chosenPorts = entries.filter { $0.port != 0 }.map { "\($0.host):\($0.port)" }
    guard Set(chosenPorts).count == chosenPorts.count else { return refuse("a list without the same address twice") }

    var found: [ListenerConfig] = []
    for entry in entries where !controllers.contains(entry.name) {
      guard let securityProtocol = protocols[entry.name] else {
        return refuse("a list whose names are in listener.security.protocol.map: \(entry.name) is not")
      }
      guard securityProtocol == .plaintext else {
        return refuse("a list of PLAINTEXT listeners: \(securityProtocol.name) (\(entry.name)) is not supported yet")
      }
      let host = entry.host.isEmpty ? "0.0.0.0" : entry.host
      found.append(
        ListenerConfig(name: entry.name, host: host, port: entry.port, securityProtocol: securityProtocol))
    }
    return found.isEmpty ? refuse("a list with at least one listener for clients") : found
  }

  private func advertised(
    protocols: [String: SecurityProtocol], _ complaints: inout [PropertyComplaint]
  ) -> [ListenerConfig]? {
    func refuse(_ allowed: String) -> [ListenerConfig]? {
      complaints.append(PropertyComplaint(name: "advertised.listeners", allowed: allowed))
      return nil
    }
    guard let entries = ListenerSyntax.entries(text("advertised.listeners")) else {
      return refuse("a list of NAME://host:port")
    }
    guard !entries.isEmpty else { return nil }
    guard Set(entries.map(\.name)).count == entries.count else { return refuse("a list that names no listener twice") }
    var found: [ListenerConfig] = []
    for entry in entries {
      guard let listener = listeners.first(where: { $0.name == entry.name }) else {
        // Where `listeners` itself is wrong, that has been said already.
        return listeners.isEmpty ? nil : refuse("a list of names that are in listeners: \(entry.name) is not")
      }
      guard !["", "0.0.0.0", "::"].contains(entry.host), entry.port != 0 else {
        return refuse("a list of addresses that clients can reach: \(entry.name) has no host or no port")
      }
      found.append(
        ListenerConfig(
          name: entry.name, host: entry.host, port: entry.port, securityProtocol: listener.securityProtocol))
    }
    return found
  }
}
