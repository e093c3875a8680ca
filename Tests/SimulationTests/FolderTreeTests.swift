import Testing

@testable import Simulation

@Suite struct FolderTreeTests {
  @Test func namesReachTheDiskFolderByFolder() {
    var tree = FolderTree()
    let isMade = tree.createFolders("a/b")
    #expect(isMade)
    tree.change(.init(folder: tree.folder("a/b") ?? 0, name: "f", entry: .file(0)))
    #expect(tree.entry("a/b/f") == .file(0))
    #expect(tree.asOnDisk().entry("a") == nil)
    tree.sync(0)
    #expect(tree.asOnDisk().entry("a") != nil && tree.asOnDisk().entry("a/b") == nil)
    tree.syncAll()
    #expect(tree.asOnDisk().entry("a/b/f") == .file(0))
    #expect(tree.namedFiles == [0])
    let isInTheWay = !tree.createFolders("a/b/f/g")
    #expect(isInTheWay)
  }

  /// What came first in a folder is there when what came later is.
  @Test(arguments: 0..<100) func partsOfAHistoryAreFirstParts(seed: UInt64) {
    var tree = FolderTree()
    for number in 0..<6 { tree.change(.init(folder: 0, name: "\(number)", entry: .file(number))) }
    var random = DiskRandom(seed: seed)
    tree.writeBackSome(.mixed, &random)
    let names = tree.asOnDisk().folders[0].names.keys.sorted()
    #expect(names == (0..<names.count).map { "\($0)" })
  }
}
