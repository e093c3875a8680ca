import Primitives

@testable import KafkaProtocol

/// A message of which arbitrary instances can be made; the generated conformances are in Generated/RandomMessages.swift.
protocol RandomMessage: Message {
  /// An instance that `version` can carry whole.
  static func random(_ random: inout RandomValues, version: Int16) -> Self
}

/// Arbitrary values, the same for the same seed (SplitMix64).
struct RandomValues {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 up to, not including, `bound`.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Small numbers, -1 and the extremes come often.
  private mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
    switch below(6) {
    case 0: 0
    case 1: Value(truncatingIfNeeded: -1)
    case 2: below(2) == 0 ? .min : .max
    case 3: Value(truncatingIfNeeded: below(100))
    default: Value(truncatingIfNeeded: next())
    }
  }

  mutating func int8() -> Int8 { integer(Int8.self) }
  mutating func int16() -> Int16 { integer(Int16.self) }
  mutating func int32() -> Int32 { integer(Int32.self) }
  mutating func int64() -> Int64 { integer(Int64.self) }
  mutating func uint16() -> UInt16 { integer(UInt16.self) }
  mutating func uint32() -> UInt32 { integer(UInt32.self) }
  mutating func float64() -> Double { Double(Int32(truncatingIfNeeded: next())) / 16 }
  mutating func bool() -> Bool { below(2) == 0 }
  mutating func errorCode() -> ErrorCode { ErrorCode(rawValue: integer(Int16.self)) }
  mutating func uuid() -> UUID { below(4) == 0 ? .zero : UUID(high: next(), low: next()) }

  mutating func string() -> String {
    switch below(6) {
    case 0: ""
    case 1: "größe-注文-🦦"
    case 2: String(repeating: "x", count: 120 + below(20))
    default: "topic-\(below(1000))"
    }
  }

  mutating func bytes() -> [UInt8] {
    let count = below(8) == 0 ? 200 : below(6)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  mutating func recordsPayload() -> RecordsPayload { below(5) == 0 ? .null : .bytes(bytes()) }

  mutating func array<Element>(_ element: (inout RandomValues) -> Element) -> [Element] {
    let count = below(12) == 0 ? 150 / max(1, MemoryLayout<Element>.stride / 8) : below(3)
    return (0..<count).map { _ in element(&self) }
  }

  mutating func nullable<Value>(_ isAllowed: Bool, _ value: (inout RandomValues) -> Value) -> Value? {
    isAllowed && below(4) == 0 ? nil : value(&self)
  }
}

extension Message {
  /// Decodes with a reader of its own.
  static func attempt(_ bytes: [UInt8], version: Int16) -> (message: Self, failure: DecodeError?, position: Int) {
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let message = decode(from: &reader, version: version)
      return (message, reader.failure, reader.position)
    }
  }

  /// Encodes a message that may hold slices of `source`.
  func encoded(version: Int16, source: [UInt8]) -> [UInt8] {
    source.withUnsafeBytes { source in
      let buffer = OutputBuffer()
      var writer = Writer(buffer)
      writer.source = source
      encode(into: &writer, version: version)
      return Array(buffer.bytes)
    }
  }
}
