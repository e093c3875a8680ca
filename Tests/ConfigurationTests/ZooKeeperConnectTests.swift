import Testing

@testable import Configuration

@Suite("zookeeper.connect")
struct ZooKeeperConnectTests {
  @Test(
    "names servers and a node",
    arguments: [
      ("localhost:2181", "localhost:2181"), ("a:1,b:2,c:65535", "a:1,b:2,c:65535"), ("a:1/kafka", "a:1/kafka"),
      (" a:1 , b:2/k/l ", "a:1,b:2/k/l"), ("a", "a:2181"), ("a,b/k", "a:2181,b:2181/k"), ("a:1/", "a:1"),
      ("[::1]:2181,10.0.0.1:2182/k", "[::1]:2181,10.0.0.1:2182/k"), ("[::1]", "[::1]:2181"),
      ("a:1/überall", "a:1/überall"),
    ])
  func good(text: String, canonical: String) throws {
    let connect = try #require(ZooKeeperConnect(text))
    #expect(connect.text == canonical)
    #expect(ZooKeeperConnect(connect.text) == connect)
    #expect(try loaded(["zookeeper.connect": text]).zookeeperConnect == connect)
  }

  @Test("has its parts")
  func parts() throws {
    let connect = try #require(ZooKeeperConnect("[fe80::1]:1,b:2/k"))
    #expect(connect.servers.map(\.host) == ["fe80::1", "b"] && connect.servers.map(\.port) == [1, 2])
    #expect(connect.chroot == "/k")
    #expect(try #require(ZooKeeperConnect("a:1")).chroot == "")
  }

  @Test(
    "is refused where it is none",
    arguments: [
      "/kafka", ",", "a:1,", ",a:1", "a:1,,b:2", "a:0", "a:65536", "a:-1", "a:", ":1", "a:x", "a b:1", "::1", "[::1",
      "a:1,a:1", "a:1//k", "a:1/k/", "a:1/k//l", "a:1/.", "a:1/k/../l", "a:1/k l", "a:1/k,b:2", "a:1/k\u{7f}",
      "a:1/k\u{fff0}", "a:1/" + String(repeating: "k", count: 512),
      (0..<65).map { "h\($0):1" }.joined(separator: ","),
    ])
  func bad(text: String) {
    #expect(ZooKeeperConnect(text) == nil)
    #expect(complaints(["zookeeper.connect": text]).count == 1)
  }

  @Test("is nothing where it is empty", arguments: ["", "  "])
  func empty(text: String) throws {
    #expect(try loaded(["zookeeper.connect": text]).zookeeperConnect == nil)
    #expect(try loaded([:]).zookeeperConnect == nil)
  }
}
