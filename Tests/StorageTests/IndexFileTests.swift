import Primitives
import Records
import Simulation
import Testing

@testable import Storage

@Suite struct IndexFileTests {
  private let disk = SimulatedDisk()
  private var environment: LogEnvironment {
    LogEnvironment(fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 2))
  }

  @Test func floorsAgreeWithAScan() throws {
    let environment = environment
    let index = IndexFile<OffsetIndexEntry>(path: "./x.index", baseOffset: Offset(1000))
    var random = SeededGenerator(1)
    var entries: [OffsetIndexEntry] = []
    var offset: Int64 = 1000
    for number: Int32 in 0..<2000 {
      offset += Int64.random(in: 1...5, using: &random)
      entries.append(OffsetIndexEntry(offset: Offset(offset), position: number * 10))
      index.append(entries[entries.count - 1], environment)
      if number % 97 == 0 || number == 1999 {
        for _ in 0..<50 {
          let sought = Int64.random(in: 995...(offset + 3), using: &random)
          #expect(try index.floor(sought, environment) == entries.last { $0.offset.value <= sought })
        }
      }
    }
    index.seal(environment)
    let again = IndexFile<OffsetIndexEntry>(path: "./x.index", baseOffset: Offset(1000))
    #expect(try again.load(environment))
    #expect(again.count == 2000)
    #expect(again.last == entries.last)
    try again.keepFirst(environment) { $0.position < 1234 }
    #expect(again.count == 124)
    #expect(again.last == entries[123])
    #expect(try again.floor(.max, environment) == entries[123])
  }

  /// More entries than wait in memory, made anew from headers alone: what is read must not be what is written over.
  @Test func largeIndexesAreRebuilt() throws {
    let fixture = try LogFixture(LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 0), fileSystem: disk)
    for number: Int64 in 0..<1500 { try fixture.append(makeBatch(1, timestamp: number)) }
    try fixture.log.close()
    let paths = [".index", ".timeindex"].map { LogFixture.directory + "/00000000000000000000" + $0 }
    let before = paths.map { disk.contents($0) }
    #expect(before[0]?.count == 1499 * 8)
    for path in paths { try disk.removeFile(path) }
    let opened = try LogFixture(fixture.config, fileSystem: disk, recovery: .clean)
    #expect(opened.log.logEndOffset == Offset(1500))
    #expect(opened.log.recovered.truncatedBytes == 0)
    #expect(paths.map { disk.contents($0) } == before)
  }

  @Test func handlesAreBounded() throws {
    let handles = FileHandleCache(fileSystem: disk, openFilesMax: 3)
    let slots = (0..<10).map { FileSlot(path: "./\($0)") }
    var random = SeededGenerator(5)
    for _ in 0..<500 {
      let slot = try #require(slots.randomElement(using: &random))
      if Int.random(in: 0..<10, using: &random) == 0 { handles.close(slot) } else { _ = try handles.file(slot) }
      #expect(handles.openFiles <= 3)
    }
  }
}
