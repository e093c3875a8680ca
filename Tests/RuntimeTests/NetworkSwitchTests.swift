import Testing

@testable import Runtime

@Suite struct NetworkSwitchTests {
  @Test func portsAreBlockedOneByOneAndAllAtOnce() {
    let network = NetworkSwitch()
    #expect(network.takesConnections && network.lets(to: 1))
    network.block(port: 1)
    #expect(network.takesConnections && !network.lets(to: 1) && network.lets(to: 2))
    network.cut()
    #expect(!network.takesConnections && !network.lets(to: 2))
    network.heal()
    #expect(network.takesConnections && network.lets(to: 1) && network.lets(to: 2))
  }
}
