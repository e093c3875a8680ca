import Effects
import Simulation
import Testing

@testable import Storage

@Suite struct FileWindowTests {
  @Test func anyPartOfTheFileIsShownAsItIs() throws {
    var generator = SeededGenerator(3)
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let disk = SimulatedDisk()
    disk.setContents("./file", bytes)
    let window = try FileWindow("./file", fileSystem: disk)
    #expect(window.byteCount == 3_000_000)
    for _ in 0..<200 {
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      let count = Int.random(in: 0...min(bytes.count - position, 1_500_000), using: &generator)
      let shown = try #require(try window.bytes(at: Int64(position), count: count))
      #expect(shown.elementsEqual(bytes[position..<position + count]))
    }
    #expect(try window.bytes(at: 2_999_999, count: 2) == nil)
    #expect(try window.bytes(at: -1, count: 1) == nil)
  }
}
