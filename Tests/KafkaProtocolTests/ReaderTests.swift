import Primitives
import Testing

@testable import KafkaProtocol

@Suite struct ReaderTests {
  /// Runs `body` with a reader over `bytes`, and gives what it noted as its failure.
  private func failure(
    of bytes: [UInt8], budget: Int? = nil, _ body: (inout Reader) -> Void
  ) -> DecodeError? {
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes, allocationBudgetBytes: budget)
      body(&reader)
      return reader.failure
    }
  }

  /// What `body` reads from `bytes`; nil where that fails.
  private func value<Value>(of bytes: [UInt8], _ body: (inout Reader) -> Value) -> Value? {
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let value = body(&reader)
      return reader.failure == nil ? value : nil
    }
  }

  @Test func fixedWidths() {
    let bytes: [UInt8] = [0xff, 0x80, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0]
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      #expect(reader.int8() == -1)
      #expect(reader.int16() == .min)
      #expect(reader.int16() == .max)
      #expect(reader.int32() == -2)
      #expect(reader.int64() == 5)
      #expect(reader.bool() == true)
      #expect(reader.bool() == false)
      #expect(reader.remaining == 0)
      #expect(reader.failure == nil)
    }
  }

  @Test func theFirstFailureSticks() {
    let bytes: [UInt8] = [0, 9, 65, 66, 0, 0, 0, 7]
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      #expect(reader.string(compact: false) == "")
      #expect(reader.failure == .truncated)
      #expect(reader.remaining == 0)
      #expect(reader.int32() == 0)
      #expect(reader.array(compact: false, minimum: 1) { $0.int8() }.isEmpty)
      #expect(reader.string(compact: true) == "")
      #expect(reader.failure == .truncated)
    }
  }

  @Test func noMemoryAtAll() {
    var reader = Reader(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(reader.uuid().isZero)
    #expect(reader.failure == .truncated)
  }

  @Test(
    arguments: [
      ([0x00], UInt32(0)), ([0x7f], 127), ([0x80, 0x01], 128), ([0xff, 0x7f], 16_383), ([0x80, 0x80, 0x01], 16_384),
      ([0xff, 0xff, 0xff, 0xff, 0x0f], .max), ([0x80, 0x80, 0x00], 0),
    ] as [([UInt8], UInt32)])
  func varints(_ bytes: [UInt8], _ value: UInt32) {
    #expect(self.value(of: bytes) { $0.unsignedVarint() } == value)
  }

  @Test(
    arguments: [
      [0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ] as [[UInt8]])
  func varintsTooLong(_ bytes: [UInt8]) {
    #expect(failure(of: bytes) { _ = $0.unsignedVarint() } == .badVarint)
  }

  @Test func nullWhereNotAllowed() {
    #expect(failure(of: [0xff, 0xff]) { _ = $0.string(compact: false) } == .unexpectedNull)
    #expect(failure(of: [0]) { _ = $0.string(compact: true) } == .unexpectedNull)
    #expect(failure(of: [0xff, 0xff, 0xff, 0xff]) { _ = $0.bytes(compact: false) } == .unexpectedNull)
    #expect(failure(of: [0]) { _ = $0.array(compact: true, minimum: 1) { $0.int8() } } == .unexpectedNull)
    #expect(failure(of: [0]) { _ = $0.nullableString(compact: true, allowed: false) } == .unexpectedNull)
    #expect(value(of: [0]) { $0.nullableString(compact: true) } == .some(nil))
    #expect(value(of: [0xff, 0xff, 0xff, 0xff]) { $0.records(compact: false) } == .null)
  }

  @Test func lengthsBelowNull() {
    #expect(failure(of: [0xff, 0xfe]) { _ = $0.nullableString(compact: false) } == .badLength)
    #expect(failure(of: [0x80, 0, 0, 0]) { _ = $0.nullableBytes(compact: false) } == .badLength)
    #expect(
      failure(of: [0xff, 0xff, 0xff, 0xfe]) { _ = $0.array(compact: false, minimum: 1) { $0.int8() } } == .badLength)
    #expect(failure(of: [0x80, 0, 0, 0]) { _ = $0.records(compact: false) } == .badLength)
  }

  /// Two thousand million elements in a frame of a hundred bytes: refused before anything is allocated.
  @Test func hugeCounts() {
    let rest = [UInt8](repeating: 0, count: 96)
    #expect(
      failure(of: [0x7f, 0xff, 0xff, 0xff] + rest) { _ = $0.array(compact: false, minimum: 1) { $0.int8() } }
        == .badLength)
    let compact: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x0f]
    #expect(failure(of: compact + rest) { _ = $0.array(compact: true, minimum: 1) { $0.int8() } } == .badLength)
    #expect(failure(of: compact + rest) { _ = $0.string(compact: true) } == .badLength)
    #expect(failure(of: compact + rest) { _ = $0.bytes(compact: true) } == .truncated)
    // 96 bytes hold 96 elements of one byte, but not 96 of two.
    #expect(failure(of: [0, 0, 0, 96] + rest) { _ = $0.array(compact: false, minimum: 1) { $0.int8() } } == nil)
    #expect(
      failure(of: [0, 0, 0, 96] + rest) { _ = $0.array(compact: false, minimum: 2) { $0.int16() } } == .badLength)
  }

  @Test func longStrings() {
    let compact: [UInt8] = [0x81, 0x80, 0x02] + [UInt8](repeating: 65, count: 32_768)
    #expect(failure(of: compact) { _ = $0.string(compact: true) } == .badLength)
    let longest: [UInt8] = [0x80, 0x80, 0x02] + [UInt8](repeating: 65, count: 32_767)
    #expect(value(of: longest) { $0.string(compact: true).utf8.count } == 32_767)
  }

  @Test func invalidUTF8IsRepaired() {
    #expect(value(of: [0, 3, 0x61, 0xff, 0x62]) { $0.string(compact: false) } == "a\u{fffd}b")
  }

  @Test func arraysKeepWithinTheBudget() {
    let hundredEmptyStrings: [UInt8] = [101] + [UInt8](repeating: 1, count: 100)
    func decode(_ reader: inout Reader) { _ = reader.array(compact: true, minimum: 1) { $0.string(compact: true) } }
    #expect(failure(of: hundredEmptyStrings, decode) == nil)
    #expect(failure(of: hundredEmptyStrings, budget: 100 * MemoryLayout<String>.stride, decode) == nil)
    #expect(failure(of: hundredEmptyStrings, budget: 100 * MemoryLayout<String>.stride - 1, decode) == .budgetExceeded)
  }

  @Test func theDefaultBudgetIsCapped() {
    #expect(Reader.defaultBudgetBytes(for: 0) == 65_536)
    #expect(Reader.defaultBudgetBytes(for: 1000) == 81_536)
    #expect(Reader.defaultBudgetBytes(for: .max) == 256 << 20)
  }
}
