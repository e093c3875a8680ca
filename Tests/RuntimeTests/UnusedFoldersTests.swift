import Cluster
import Effects
import KafkaProtocol
import Primitives
import Testing

@testable import Runtime

@Suite struct UnusedFoldersTests {
  private let fileSystem = LinuxFileSystem()
  private let root: TemporaryFolder

  init() throws { root = try TemporaryFolder() }

  /// Folders `a` and `b`; those of `used` have their identity, and in `a` is partition 0.
  private func folders(used: Set<String>) throws -> [String] {
    try ["a", "b"].map { name in
      let folder = root.path + "/" + name
      try fileSystem.createDirectory(folder)
      if used.contains(name) { try fileSystem.replace(folder + "/meta.properties", with: Array("x".utf8)) }
      if name == "a" { try fileSystem.createDirectory(folder + "/orders-0") }
      return folder
    }
  }

  private func image(partitionCount: Int32, isr: [Int32] = [1]) -> ClusterImage {
    var image = ClusterImage()
    let id = UUID(high: 1, low: 2)
    image.replay(.topic(TopicRecord(name: "orders", topicId: id)), at: Offset(0))
    for index in 0..<partitionCount {
      let record = PartitionRecord(topicId: id, partitionIndex: index, replicas: isr, isr: isr, leader: 1)
      image.replay(.partition(record), at: Offset(Int64(index) + 1))
    }
    return image
  }

  @Test func anEmptyFolderBesideAUsedOneMustNotHidePartitions() throws {
    let unused = UnusedFolders(among: try folders(used: ["a"]), fileSystem)
    let refusal = try #require(unused.refusal(image(partitionCount: 3), of: BrokerID(1)))
    #expect(refusal.contains("/b has nothing in it, and 2 partitions are without their folders, as orders-1"))
    #expect(unused.refusal(image(partitionCount: 1), of: BrokerID(1)) == nil, "a new folder, for nothing is missing")
    #expect(
      unused.refusal(image(partitionCount: 3, isr: [1, 2]), of: BrokerID(1)) == nil, "others have the records, too")
    #expect(unused.refusal(image(partitionCount: 3), of: BrokerID(2)) == nil, "they are no partitions of this broker's")
  }

  @Test func whereAllFoldersAreUsedOrNoneIsNobodyIsAsked() throws {
    for used in [[], ["a", "b"]] as [Set<String>] {
      let root = try folders(used: used)
      #expect(UnusedFolders(among: root, fileSystem).refusal(image(partitionCount: 3), of: BrokerID(1)) == nil)
      for folder in root { try fileSystem.removeDirectory(folder) }
    }
  }

  @Test func aRefusedStartLeavesAFolderUnused() throws {
    let all = try folders(used: ["a"])
    let unused = UnusedFolders(among: all, fileSystem)
    try fileSystem.replace(all[1] + "/meta.properties", with: Array("made by the start".utf8))
    unused.forget()
    #expect(fileSystem.exists(all[0] + "/meta.properties") && !fileSystem.exists(all[1] + "/meta.properties"))
    #expect(UnusedFolders(among: all, fileSystem).refusal(image(partitionCount: 3), of: BrokerID(1)) != nil)
  }
}
