import Primitives
import Testing

@Suite struct OutputBufferTests {
  /// Any row of appends and consumptions leaves what an array would hold.
  @Test(arguments: UInt64(1)...20) func itBehavesAsAnArray(seed: UInt64) {
    var state = seed
    func next(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
    let buffer = OutputBuffer(capacity: 1 + next(32))
    var model: [UInt8] = []
    for step in 0..<500 {
      switch next(6) {
      case 0...2:
        let bytes = (0..<next(40)).map { UInt8(truncatingIfNeeded: $0 &+ step) }
        buffer.append(bytes)
        model += bytes
      case 3:
        let count = next(model.count + 1)
        buffer.consume(count)
        model.removeFirst(count)
      case 4: buffer.reserve(next(200))
      default:
        if next(10) == 0 {
          buffer.removeAll()
          model.removeAll()
        }
      }
      #expect(buffer.count == model.count && buffer.isEmpty == model.isEmpty)
      #expect(Array(buffer.bytes) == model)
      #expect(buffer.end <= buffer.capacity)
    }
  }

  @Test func anEmptiedBufferStartsAtItsBeginning() {
    let buffer = OutputBuffer(capacity: 8)
    for _ in 0..<1000 {
      buffer.append([1, 2, 3, 4, 5])
      buffer.consume(2)
      buffer.consume(3)
    }
    #expect(buffer.capacity == 8)
  }
}
