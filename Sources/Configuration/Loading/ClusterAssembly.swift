// What a broker needs to know of its cluster: where the ensemble is, and which listener brokers use among themselves.

extension BrokerConfig {
  mutating func assembleCluster(_ complaints: inout [PropertyComplaint]) {
    assembleZooKeeper(&complaints)
    assembleInterBrokerListener(&complaints)
  }

  private mutating func assembleZooKeeper(_ complaints: inout [PropertyComplaint]) {
    if zookeeperConnectionTimeoutMs == 0 { zookeeperConnectionTimeoutMs = zookeeperSessionTimeoutMs }
    let text = text("zookeeper.connect")
    guard !text.trimmed.isEmpty else { return }
    zookeeperConnect = ZooKeeperConnect(text)
    if zookeeperConnect == nil {
      complaints.append(PropertyComplaint(name: "zookeeper.connect", allowed: "HOST:PORT[,HOST:PORT...][/chroot]"))
    }
  }

  private mutating func assembleInterBrokerListener(_ complaints: inout [PropertyComplaint]) {
    let listenerName = "inter.broker.listener.name"
    let protocolName = "security.inter.broker.protocol"
    func refuse(_ name: String, _ allowed: String) {
      complaints.append(PropertyComplaint(name: name, allowed: allowed))
    }
    let given = text(listenerName).trimmed.uppercased()
    guard let securityProtocol = SecurityProtocol(name: text(protocolName).trimmed) else {
      return refuse(protocolName, "one of \(SecurityProtocol.allCases.map(\.name).joined(separator: ", "))")
    }
    interBrokerListenerName = given.isEmpty ? securityProtocol.name : given
    if !given.isEmpty, layers.text(of: protocolName) != nil {
      return refuse(protocolName, "absent where inter.broker.listener.name is set")
    }
    guard securityProtocol == .plaintext else {
      return refuse(protocolName, "PLAINTEXT: \(securityProtocol.name) is not supported yet")
    }
    // Where listeners are wrong that has been said already; a broker that is alone talks to no other one.
    guard !listeners.isEmpty, !given.isEmpty || zookeeperConnect != nil else { return }
    let names = (advertisedListeners ?? listeners).map(\.name)
    if !names.contains(interBrokerListenerName) {
      let place = advertisedListeners == nil ? "listeners" : "advertised.listeners"
      let said = given.isEmpty ? ", and set: none of them is \(interBrokerListenerName), the default" : ""
      refuse(listenerName, "one of the names in \(place) (\(names.joined(separator: ", ")))\(said)")
    }
  }
}
