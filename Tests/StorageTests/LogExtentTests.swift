import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct LogExtentTests {
  @Test func namesAndSizesOfSegmentsCount() throws {
    let disk = SimulatedDisk()
    for name in ["00000000000000000040.log", "00000000000000000007.log", "00000000000000000007.index", "3.log"] {
      disk.setContents("./" + name, [1, 2, 3])
    }
    let extent = try LogExtent(inFolder: ".", fileSystem: disk)
    #expect(extent.baseOffset == Offset(7))
    #expect(extent.byteCount == 6)
  }

  @Test func aFolderWithoutSegmentsHasNoBase() throws {
    let disk = SimulatedDisk()
    disk.setContents("./partition.metadata", [1])
    let extent = try LogExtent(inFolder: ".", fileSystem: disk)
    #expect(extent.baseOffset == nil)
    #expect(extent.byteCount == 0)
  }
}
