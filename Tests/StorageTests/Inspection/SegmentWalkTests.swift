import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

/// Walking over damage: what is sound behind it is found, and nothing else is taken for a batch.
@Suite struct SegmentWalkTests {
  private func elements(_ bytes: [UInt8], base: Int64 = 0, limit: Int64? = nil) throws -> [String] {
    let disk = SimulatedDisk()
    disk.setContents("./a.log", bytes)
    var walk = SegmentWalk(try FileWindow("./a.log", fileSystem: disk), base: base, limit: limit)
    var found: [String] = []
    while let element = try walk.next() {
      switch element {
      case .batch(let batch): found.append("\(batch.lastOffset)")
      case .damage(let damage): found.append("damage \(damage.position)..<\(damage.end)")
      }
    }
    return found
  }

  /// Batches of one record at the offsets 0, 1, 2 and so on, each of `size` bytes.
  private func batches(_ count: Int, value: [UInt8] = Array(repeating: 7, count: 40)) -> [[UInt8]] {
    (0..<count).map { number in
      var builder = RecordBatchBuilder()
      builder.append(key: nil, value: value, timestamp: Timestamp(milliseconds: 1000))
      var bytes = builder.build()
      bytes.withUnsafeMutableBytes { $0.baseAddress?.storeBigEndian(Int64(number), at: 0) }
      return bytes
    }
  }

  @Test func soundBatchesFollowOneAnother() throws {
    #expect(try elements(batches(3).flatMap { $0 }) == ["0", "1", "2"])
    #expect(try elements([]) == [])
  }

  @Test func everyDamagedByteCostsOneBatchOnly() throws {
    let sound = batches(3)
    let size = sound[1].count
    // Offset and epoch are not under the checksum.
    for place in Array(8..<12) + Array(16..<size) {
      var bytes = sound.flatMap { $0 }
      bytes[size + place] ^= 0x55
      #expect(try elements(bytes) == ["0", "damage \(size)..<\(2 * size)", "2"], "byte \(place)")
    }
  }

  @Test func missingAndAdditionalBytesCostOneBatchOnly() throws {
    let sound = batches(3)
    let size = sound[0].count
    #expect(
      try elements(sound[0] + sound[1].dropLast(5) + sound[2]) == ["0", "damage \(size)..<\(2 * size - 5)", "2"])
    #expect(
      try elements(sound[0] + [1, 2, 3, 4, 5] + sound[1] + sound[2])
        == ["0", "damage \(size)..<\(size + 5)", "1", "2"])
  }

  @Test func aTornEndIsDamageToTheEnd() throws {
    let sound = batches(2)
    let size = sound[0].count
    for kept in [1, 11, 20, 61, size - 1] {
      #expect(try elements(sound[0] + sound[1].prefix(kept)) == ["0", "damage \(size)..<\(size + kept)"])
    }
  }

  @Test func zerosAreDamageToTheEnd() throws {
    let sound = batches(1)
    #expect(
      try elements(sound[0] + [UInt8](repeating: 0, count: 5000))
        == ["0", "damage \(sound[0].count)..<\(sound[0].count + 5000)"])
  }

  @Test func aBatchInsideOfADamagedRecordIsNotTakenForOne() throws {
    let inner = batches(6)[5]
    let outer = batches(3, value: [1, 2, 3] + inner + [4, 5, 6])
    let size = outer[0].count
    for place in [9, 17, 30] {
      var bytes = outer.flatMap { $0 }
      bytes[size + place] ^= 0x41
      #expect(try elements(bytes) == ["0", "damage \(size)..<\(2 * size)", "2"])
    }
  }

  @Test func batchesOfTheNextSegmentDoNotCount() throws {
    var bytes = batches(4).flatMap { $0 }
    let size = bytes.count / 4
    bytes[size + 30] ^= 1
    #expect(try elements(bytes, limit: 2) == ["0", "damage \(size)..<\(4 * size)"])
  }

  @Test func randomBytesAreWalkedToTheEnd() throws {
    var generator = SeededGenerator(5)
    for _ in 0..<200 {
      var bytes = batches(5).flatMap { $0 }
      for _ in 0..<Int.random(in: 1...40, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      _ = try elements(bytes)
    }
  }
}
