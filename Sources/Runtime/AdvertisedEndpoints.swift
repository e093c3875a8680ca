internal import CLinux
internal import Cluster
internal import Configuration

/// The addresses under which a broker makes itself known to the others, and these to their clients.
enum AdvertisedEndpoints {
  /// What advertised.listeners says; else where the broker really listens, with this machine's name for all interfaces.
  static func endpoints(
    _ config: BrokerConfig, bound: [RunningBroker.Address], hostName: () -> String = Self.hostName
  ) -> [BrokerEndpoint] {
    if let advertised = config.advertisedListeners {
      return advertised.map {
        BrokerEndpoint(
          name: $0.name, host: $0.host, port: Int32($0.port), securityProtocol: $0.securityProtocol.rawValue)
      }
    }
    return zip(config.listeners, bound).map { listener, address in
      let isEverywhere = ["", "0.0.0.0", "::"].contains(listener.host)
      return BrokerEndpoint(
        name: listener.name, host: isEverywhere ? hostName() : listener.host, port: Int32(address.port),
        securityProtocol: listener.securityProtocol.rawValue)
    }
  }

  /// This machine's name; localhost where it has none.
  static func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    let outcome = bytes.withUnsafeMutableBufferPointer { ottla_host_name($0.baseAddress, $0.count) }
    let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return outcome == 0 && !name.isEmpty ? name : "localhost"
  }
}
