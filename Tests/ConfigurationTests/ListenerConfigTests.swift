import Testing

@testable import Configuration

@Suite("Listeners")
struct ListenerConfigTests {
  @Test("an empty host is all interfaces, IPv6 stands in brackets, names are capitals")
  func addresses() throws {
    let config = try loaded([
      "listeners": "plaintext://:9092, INTERNAL://[::1]:0,EXTERNAL://example.org:19092",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,internal:PLAINTEXT,EXTERNAL:plaintext",
    ])
    #expect(config.listeners.map(\.name) == ["PLAINTEXT", "INTERNAL", "EXTERNAL"])
    #expect(config.listeners.map(\.host) == ["0.0.0.0", "::1", "example.org"])
    #expect(config.listeners.map(\.port) == [9092, 0, 19092])
    #expect(config.listeners[1].text == "INTERNAL://[::1]:0")
  }

  @Test("Kafka's usual files work: listeners for controllers are left out")
  func controllers() throws {
    let config = try loaded([
      "process.roles": "broker,controller", "node.id": "3", "controller.listener.names": "CONTROLLER",
      "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093", "inter.broker.listener.name": "PLAINTEXT",
      "advertised.listeners": "PLAINTEXT://kafka:9092", "controller.quorum.voters": "3@kafka:9093",
      "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    ])
    #expect(config.listeners.map(\.name) == ["PLAINTEXT"])
    #expect(config.advertisedListeners?.map(\.text) == ["PLAINTEXT://kafka:9092"])
  }

  @Test(
    "what cannot be opened or reached is refused",
    arguments: [
      "9092", "PLAINTEXT", "PLAINTEXT:9092", "PLAINTEXT://h", "PLAINTEXT://h:", "PLAINTEXT://h:65536",
      "PLAINTEXT://h:-1", "PLAINTEXT://a b:1", "PLAINTEXT://::1:9092", "PLAINTEXT://[::1:9092", "PLAINTEXT://[]:1",
      "PLAINTEXT://h:1,PLAINTEXT://h:2", "PLAINTEXT://h:1,X://h:2", "://h:1", "", ",", "PLAINTEXT:///h:1",
    ])
  func refusedListeners(text: String) {
    #expect(complaints(["listeners": text]).count == 1)
  }

  @Test("the same address twice is refused, any port twice is not")
  func sameAddress() {
    let map = "A:PLAINTEXT,B:PLAINTEXT"
    #expect(complaints(["listeners": "A://h:1,B://h:1", "listener.security.protocol.map": map]).count == 1)
    #expect(complaints(["listeners": "A://h:0,B://h:0", "listener.security.protocol.map": map]).isEmpty)
  }

  @Test(
    "a protocol that is not served yet keeps the broker from starting",
    arguments: [
      "SSL", "SASL_PLAINTEXT", "SASL_SSL",
    ])
  func unsupported(name: String) {
    let found = complaints(["listeners": "\(name)://:9093"])
    #expect(found.count == 1)
    #expect(found.first?.contains("not supported yet") == true)
  }

  @Test(
    "advertised addresses must be reachable and belong to listeners",
    arguments: [
      "PLAINTEXT://:9092", "PLAINTEXT://0.0.0.0:9092", "PLAINTEXT://[::]:9092", "PLAINTEXT://h:0", "OTHER://h:9092",
      "PLAINTEXT://h:1,PLAINTEXT://h:2", "h:9092",
    ])
  func refusedAdvertised(text: String) {
    #expect(complaints(["advertised.listeners": text]).count == 1)
  }

  @Test("limits of single addresses")
  func connectionLimits() throws {
    let config = try loaded(["max.connections.per.ip.overrides": "127.0.0.1:200, host:7,::1:3"])
    #expect(config.maxConnectionsPerIpOverrides == ["127.0.0.1": 200, "host": 7, "::1": 3])
    #expect(complaints(["max.connections.per.ip.overrides": "host"]).count == 1)
    #expect(complaints(["max.connections.per.ip.overrides": "host:-1"]).count == 1)
  }
}
