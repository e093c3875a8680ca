import Client
import Testing

@Suite struct BrokerAddressTests {
  @Test func readsHostsPortsAndBrackets() {
    #expect(BrokerAddress("broker") == BrokerAddress(host: "broker", port: 9092))
    #expect(BrokerAddress("broker:1") == BrokerAddress(host: "broker", port: 1))
    #expect(BrokerAddress("[::1]:9093") == BrokerAddress(host: "::1", port: 9093))
    #expect(BrokerAddress("[::1]") == BrokerAddress(host: "::1", port: 9092))
  }

  @Test(arguments: ["", ":9092", "h:", "h:0", "h:65536", "h:x", "h:1:2", "[::1", "[]:1", "[::1]x", "a b:1"])
  func refusesAnythingElse(_ text: String) { #expect(BrokerAddress(text) == nil) }

  @Test func writesWhatItReads() {
    for text in ["broker:9092", "127.0.0.1:1", "[fe80::1]:65535"] {
      #expect(BrokerAddress(text)?.description == text)
    }
  }

  @Test func aListIsAllOrNothing() {
    #expect(BrokerAddress.list("a:1,b:2")?.map(\.port) == [1, 2])
    #expect(BrokerAddress.list("a:1,b:x") == nil)
    #expect(BrokerAddress.list("") == nil)
  }
}
