import Testing

@testable import ZooKeeper

@Suite struct ConnectStringTests {
  @Test func serversAndChrootAreToldApart() {
    let string = ConnectString("a:2181, b,[::1]:2182/kafka/one/")
    #expect(string?.servers == "a:2181,b:2181,[::1]:2182")
    #expect(string?.chroot == "/kafka/one")
    #expect(ConnectString("a:1")?.chroot == "")
    #expect(ConnectString("a:1/")?.chroot == "")
  }

  @Test(arguments: ["", ",", "a:0", "a:x", ":2181", "a,,b", "/kafka", "a b:1", "a:1//x", "a:1/x/../y", "a:70000"])
  func whatIsNoConnectStringIsRefused(_ text: String) {
    #expect(ConnectString(text) == nil)
  }
}
