import Testing

@testable import Simulation

@Suite struct FileContentsTests {
  private func contents(_ bytes: [UInt8], pageByteCount: Int = 4) -> FileContents {
    var contents = FileContents(pageByteCount: pageByteCount)
    bytes.withUnsafeBytes { contents.write($0, at: 0) }
    return contents
  }

  @Test func whatWasNotSyncedIsNotOnTheDisk() {
    var file = contents([1, 2, 3, 4, 5])
    #expect(file.asOnDisk().cached.isEmpty)
    file.sync()
    [9 as UInt8].withUnsafeBytes { file.write($0, at: 4) }
    #expect(file.asOnDisk().cached == [1, 2, 3, 4, 5])
    file.sync()
    #expect(file.asOnDisk().cached == [1, 2, 3, 4, 9])
  }

  /// A file that was cut and grew again has nothing of its old bytes once it is synced.
  @Test func aCutThatWasSyncedBringsNothingBack() {
    var file = contents([1, 1, 1, 1, 2, 2, 2, 2, 3, 3])
    file.sync()
    file.resize(to: 2)
    #expect(file.asOnDisk().cached.count == 10)
    file.resize(to: 9)
    file.sync()
    #expect(file.asOnDisk().cached == [1, 1, 0, 0, 0, 0, 0, 0, 0])
  }

  /// Pages are lost one by one, the size for itself; what was synced is there whatever the seed.
  @Test(arguments: 0..<200) func everyPageIsOldOrNew(seed: UInt64) {
    var file = contents([1, 1, 1, 1, 1, 1, 1, 1])
    file.sync()
    [UInt8](repeating: 2, count: 12).withUnsafeBytes { file.write($0, at: 4) }
    var random = DiskRandom(seed: seed)
    file.writeBackSome(.mixed, &random)
    let found = file.asOnDisk().cached
    #expect(found.starts(with: [1, 1, 1, 1]) && found.count % 4 == 0 && (8...16).contains(found.count))
    for page in 1..<(found.count / 4) {
      let bytes = Array(found[(page * 4)..<(page * 4 + 4)])
      #expect(bytes == [2, 2, 2, 2] || bytes == [UInt8](repeating: page < 2 ? 1 : 0, count: 4), "\(found)")
    }
  }

  /// Whatever the kernel wrote by itself before, after a sync the disk has what the cache has.
  @Test(arguments: 0..<200) func aSyncBringsEverything(seed: UInt64) {
    var file = FileContents(pageByteCount: 4)
    var random = DiskRandom(seed: seed)
    for _ in 0..<30 {
      switch random.below(4) {
      case 0: file.resize(to: random.below(30))
      case 1: file.writeBackSome(.mixed, &random)
      default:
        let bytes = [UInt8](repeating: UInt8(1 + random.below(200)), count: random.below(10))
        bytes.withUnsafeBytes { file.write($0, at: random.below(20)) }
      }
    }
    file.sync()
    #expect(file.asOnDisk().cached == file.cached)
    file.dropCache()
    #expect(file.asOnDisk().cached == file.cached && !file.isDirty)
  }

  /// What a failed sync dropped is gone once the cache is; from then on the cache is what a sync brings to the disk.
  @Test(arguments: 0..<200) func aDroppedCacheTellsTheTruth(seed: UInt64) {
    var file = FileContents(pageByteCount: 4)
    var random = DiskRandom(seed: seed)
    for _ in 0..<30 {
      switch random.below(5) {
      case 0: file.resize(to: random.below(30))
      case 1: file.writeBackSome(.mixed, &random)
      case 2: file.dropDirtyPages()
      default:
        let bytes = [UInt8](repeating: UInt8(1 + random.below(200)), count: random.below(10))
        bytes.withUnsafeBytes { file.write($0, at: random.below(20)) }
      }
    }
    file.dropCache()
    let seen = file.cached
    file.sync()
    #expect(file.asOnDisk().cached == seen)
  }

  @Test func onlyCleanPagesLeaveTheCache() {
    var file = contents([1, 1, 1, 1, 1, 1, 1, 1])
    file.dropDirtyPages()
    [2 as UInt8].withUnsafeBytes { file.write($0, at: 4) }
    file.dropCache()
    #expect(file.cached == [0, 0, 0, 0, 2, 1, 1, 1])
  }
}
