import Primitives
import Testing

@testable import Coordination

@Suite struct EnsemblePathsTests {
  @Test func everythingIsBelowTheChroot() {
    let paths = EnsemblePaths(chroot: "/a/b/")
    #expect(paths.root == "/a/b" && paths.clusterID == "/a/b/cluster/id")
    #expect(paths.broker(BrokerID(3)) == "/a/b/brokers/ids/3")
    #expect(paths.logNode(17) == "/a/b/metadata/log/0000000017")
    #expect(paths.chunk(0, of: "x") == "/a/b/metadata/snapshots/x/0000000000")
    #expect(paths.folders.prefix(3) == ["/a", "/a/b", "/a/b/cluster"])
    let none = EnsemblePaths(chroot: "/")
    #expect(none.root == "/" && none.controller == "/controller" && none.folders.first == "/cluster")
  }

  @Test func namesSortLikeTheirNumbers() {
    #expect(EnsemblePaths.digits(12_345_678_901) == "12345678901")
    let numbers: [Int64] = [0, 9, 10, 999, 1000, 9_999_999_999]
    #expect(numbers.map { EnsemblePaths.digits($0) } == numbers.map { EnsemblePaths.digits($0) }.sorted())
  }
}
