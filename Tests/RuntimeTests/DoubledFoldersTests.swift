import Effects
import Testing

@testable import Runtime

@Suite struct DoubledFoldersTests {
  private let fileSystem = LinuxFileSystem()
  private let root: TemporaryFolder
  private static let ids = ["AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAAg"]

  init() throws { root = try TemporaryFolder() }

  /// Makes a partition's folder, of the topic with that number.
  private func add(_ folder: String, _ topic: Int?) throws {
    let path = root.path + "/" + folder
    try fileSystem.createDirectory(path)
    guard let topic else { return }
    try fileSystem.replace(
      path + "/partition.metadata", with: Array("version: 0\ntopic_id: \(Self.ids[topic])\n".utf8))
  }

  private func refusal() throws -> String? {
    try DoubledFolders.refusal(among: ["a", "b"].map { root.path + "/" + $0 }, fileSystem)
  }

  @Test func partitionsThatAreInOneFolderAreFine() throws {
    for folder in ["a/t-0", "b/t-1", "a/t-2-stray", "b/t-2-stray", "a/t-3.0-delete", "b/t-3.0-delete"] {
      try add(folder, 0)
    }
    #expect(try refusal() == nil)
  }

  @Test func oneThatIsInTwoIsRefusedWithBothNames() throws {
    try add("a/t-0", 0)
    try add("b/t-0", 0)
    #expect(
      try #require(try refusal()).hasPrefix("\(root.path)/a/t-0 and \(root.path)/b/t-0 are of the same partition: see"))
    for number in 1..<3 { for folder in ["a", "b"] { try add("\(folder)/t-\(number)", nil) } }
    #expect(try #require(try refusal()).contains("and 2 more partitions are in several folders"))
  }

  @Test func thoseOfAnotherTopicOfTheSameNameAreNotMeant() throws {
    try add("a/t-0", 0)
    try add("b/t-0", 1)
    #expect(try refusal() == nil)
  }
}
