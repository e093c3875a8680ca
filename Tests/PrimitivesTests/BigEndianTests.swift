import Primitives
import Testing

@Suite struct BigEndianTests {
  @Test func numbersStandWithTheirHighestByteFirst() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 32, alignment: 16)
    defer { memory.deallocate() }
    memory.storeBigEndian(Int32(0x0102_0304), at: 1)
    #expect((1...4).map { memory.load(fromByteOffset: $0, as: UInt8.self) } == [1, 2, 3, 4])
    #expect(UnsafeRawPointer(memory).bigEndian(Int16.self, at: 2) == 0x0203)
  }

  @Test func anyNumberComesBackFromAnyPlace() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 32, alignment: 16)
    defer { memory.deallocate() }
    for place in 0..<16 {
      for value: Int64 in [0, -1, .min, .max, 0x0123_4567_89ab_cdef] {
        memory.storeBigEndian(value, at: place)
        #expect(UnsafeRawPointer(memory).bigEndian(Int64.self, at: place) == value)
        memory.storeBigEndian(Int32(truncatingIfNeeded: value), at: place)
        #expect(UnsafeRawPointer(memory).bigEndian(Int32.self, at: place) == Int32(truncatingIfNeeded: value))
        memory.storeBigEndian(UInt16(truncatingIfNeeded: value), at: place)
        #expect(UnsafeRawPointer(memory).bigEndian(UInt16.self, at: place) == UInt16(truncatingIfNeeded: value))
      }
    }
  }
}
