import Cluster
import Configuration
import Testing

@testable import Runtime

@Suite struct AdvertisedEndpointsTests {
  private func endpoints(_ settings: [(name: String, value: String)]) throws -> [String] {
    let config = try ConfigurationSources(settings: settings).load().config
    let bound = config.listeners.map {
      RunningBroker.Address(name: $0.name, host: $0.host, port: $0.port == 0 ? 50_000 : $0.port)
    }
    return AdvertisedEndpoints.endpoints(config, bound: bound, hostName: { "this-machine" })
      .map { "\($0.name) \($0.host) \($0.port) \($0.securityProtocol)" }
  }

  @Test func whatIsAdvertisedCounts() throws {
    let settings = [
      (name: "listeners", value: "PLAINTEXT://0.0.0.0:9092,INSIDE://10.0.0.1:0"),
      (name: "listener.security.protocol.map", value: "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT"),
    ]
    #expect(try endpoints(settings) == ["PLAINTEXT this-machine 9092 0", "INSIDE 10.0.0.1 50000 0"])
    let advertised = (name: "advertised.listeners", value: "INSIDE://kafka-1:9093")
    #expect(try endpoints(settings + [advertised]) == ["INSIDE kafka-1 9093 0"])
  }

  @Test(arguments: ["", "[::]"])
  func allInterfacesAreThisMachine(host: String) throws {
    #expect(try endpoints([(name: "listeners", value: "PLAINTEXT://\(host):1")]) == ["PLAINTEXT this-machine 1 0"])
    #expect(!AdvertisedEndpoints.hostName().isEmpty)
  }
}
