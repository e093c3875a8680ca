import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct FileListingTests {
  private func list(_ name: String, _ bytes: [UInt8]) throws -> [[String]]? {
    let disk = SimulatedDisk()
    disk.setContents("./" + name, bytes)
    return try FileListing.entries("./" + name, disk)?.map { entry in
      entry.map { field in
        switch field.value {
        case .number(let number): "\(field.name)=\(number)"
        case .text(let text): "\(field.name)=\(text)"
        }
      }
    }
  }

  @Test func indexesAreListedWithWholeOffsets() throws {
    #expect(
      try list("00000000000000000100.index", [0, 0, 0, 7, 0, 0, 1, 0] + [UInt8](repeating: 0, count: 16))
        == [["offset=107", "position=256"]])
    #expect(
      try list("00000000000000000100.timeindex", [0, 0, 0, 0, 0, 0, 3, 0xe8, 0, 0, 0, 7])
        == [["timestamp=1000", "offset=107"]])
    #expect(try list("00000000000000000100.index", [1, 2, 3]) == nil)
  }

  @Test func textsAreListed() throws {
    #expect(try list("leader-epoch-checkpoint", Array("0\n1\n3 9\n".utf8)) == [["epoch=3", "startOffset=9"]])
    #expect(
      try list("cleaner-offset-checkpoint", Array("0\n2\nb 1 5\na 0 4\n".utf8))
        == [["topic=a", "partition=0", "offset=4"], ["topic=b", "partition=1", "offset=5"]])
    #expect(try list("partition.metadata", Array("garbage".utf8)) == nil)
    #expect(try list("leader-epoch-checkpoint", Array("1\n".utf8)) == nil)
  }

  @Test func abortedTransactionsAreListed() throws {
    let entry: [UInt8] =
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 9] + [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 2]
      + [0, 0, 0, 0, 0, 0, 0, 3]
    #expect(
      try list("00000000000000000000.txnindex", entry)
        == [["producerId=9", "firstOffset=1", "lastOffset=2", "lastStableOffset=3"]])
    #expect(try list("00000000000000000000.txnindex", Array(entry.dropLast())) == nil)
    #expect(try list("00000000000000000000.txnindex", [0, 1] + entry.dropFirst(2)) == nil)
  }

  @Test func onlyNamesOfABrokerAreKnown() {
    for name in ["00000000000000000000.index", "00000000000000000000.snapshot", "leader-epoch-checkpoint"] {
      #expect(FileListing.knows(name))
    }
    for name in ["00000000000000000000.log", "0.index", "notes.txt"] { #expect(!FileListing.knows(name)) }
  }
}
