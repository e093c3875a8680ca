import Effects
import Primitives
import Simulation
import Testing

@testable import Coordination

private func establish(
  _ disk: SimulatedDisk, _ directories: [String] = ["/a", "/b"], node: Int32 = 1, cluster: String? = nil,
  seed: UInt64 = 1
) throws(StartError) -> NodeIdentity {
  var state = seed
  return try IdentityFile.establish(
    fileSystem: disk, directories: directories, nodeID: BrokerID(node), clusterID: cluster
  ) {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 31)
  }
}

private func refusal(_ body: () throws(StartError) -> NodeIdentity) -> String {
  do throws(StartError) {
    return "started: \(try body())"
  } catch {
    return error.description
  }
}

@Suite struct IdentityFileTests {
  @Test func theFirstStartMakesTheFilesAndTheNextFindsThem() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    let made = try establish(disk)
    #expect(UUID(made.clusterID) != nil)
    #expect(Set(made.directoryIDs).count == 2)
    #expect(try establish(disk.afterPowerCut(data: .lost, names: .lost), seed: 2) == made)
  }

  @Test func aFolderThatIsNewJoinsTheOthers() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    let made = try establish(disk, ["/a"])
    let joined = try establish(disk, ["/b", "/a"], seed: 3)
    #expect(joined.clusterID == made.clusterID)
    #expect(joined.directoryIDs.last == made.directoryIDs.first)
  }

  @Test func theFilesTextIsKafkas() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    let made = try establish(disk, ["/a"], node: 4, cluster: "lkc-1")
    let text = String(decoding: try #require(disk.contents("/a/meta.properties")), as: UTF8.self)
    #expect(text.hasSuffix("version=1\ncluster.id=lkc-1\nnode.id=4\ndirectory.id=\(made.directoryIDs[0])\n"))
  }

  @Test func kafkasOwnFileIsRead() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    let id = UUID(high: 0x1234_5678_9abc_4def, low: 0x8234_5678_9abc_def0)
    disk.setContents(
      "/a/meta.properties",
      Array("#\n#Thu Nov 20 12:00:00 UTC 2025\ncluster.id=abc\ndirectory.id=\(id)\r\nnode.id = 1\nversion=1\n".utf8))
    #expect(try establish(disk, ["/a"]) == NodeIdentity(clusterID: "abc", nodeID: BrokerID(1), directoryIDs: [id]))
  }

  @Test func anotherNodesFolderIsRefused() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    _ = try establish(disk, ["/a"], node: 1)
    let message = refusal { () throws(StartError) in try establish(disk, ["/a"], node: 2) }
    #expect(message.contains("/a/meta.properties") && message.contains("node 1") && message.contains("node.id is 2"))
  }

  @Test func foldersOfTwoClustersAreRefused() throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    _ = try establish(disk, ["/a"], cluster: "one")
    _ = try establish(disk, ["/b"], cluster: "two")
    #expect(refusal { () throws(StartError) in try establish(disk) }.contains("/b/meta.properties"))
    #expect(refusal { () throws(StartError) in try establish(disk, ["/a"], cluster: "three") }.contains("three"))
  }

  @Test(arguments: [
    ("version=0\nbroker.id=1\n", "version"), ("version=1\nnode.id=1\n", "cluster.id"),
    ("version=1\ncluster.id=a\nnode.id=x\n", "node.id"), ("version=1\ncluster.id=a\nnode.id=1\n", "directory.id"),
    ("version=1\ncluster.id=a\nnode.id=1\ndirectory.id=short\n", "directory.id"), ("", "version"),
    ("\u{0}=", "version"),
  ])
  func aFileThatCannotBeReadIsRefused(text: String, named: String) throws {
    let disk = SimulatedDisk(folders: ["/a", "/b"])
    disk.setContents("/a/meta.properties", Array(text.utf8))
    #expect(refusal { () throws(StartError) in try establish(disk, ["/a"]) }.contains(named))
  }
}
