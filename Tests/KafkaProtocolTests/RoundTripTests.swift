import Primitives
import Testing

@testable import KafkaProtocol

@Suite struct RoundTripTests {
  /// Every message at every version: what is decoded encodes to the same bytes, and is the same message.
  @Test func everyMessageAtEveryVersion() {
    var pairs = 0
    for type in everyMessage { pairs += checkAllVersions(of: type) }
    #expect(pairs > 400)
  }

  private func checkAllVersions<Type: RandomMessage>(of type: Type.Type) -> Int {
    for version in type.versions {
      for seed in 0..<12 {
        var random = RandomValues(seed: UInt64(seed) &* 7919 &+ UInt64(version))
        let message = type.random(&random, version: version)
        let bytes = message.encoded(version: version)
        let decoded = type.attempt(bytes, version: version)
        let name = "\(type) version \(version) seed \(seed)"
        #expect(decoded.failure == nil, "\(name)")
        #expect(decoded.position == bytes.count, "\(name)")
        #expect(decoded.message.encoded(version: version, source: bytes) == bytes, "\(name)")
        if !Self.carryRecords.contains("\(type)") { #expect(decoded.message == message, "\(name)") }
      }
    }
    return type.versions.count
  }

  /// Their records come back as slices, so that only the bytes can be compared.
  private static let carryRecords = ["ProduceRequest", "FetchResponse"]

  /// A message of defaults survives too, and in flexible versions its tagged fields take no room.
  @Test func defaults() {
    for type in everyMessage { checkDefaults(of: type) }
  }

  private func checkDefaults<Type: RandomMessage>(of type: Type.Type) {
    for version in type.versions {
      let bytes = type.init().encoded(version: version)
      let decoded = type.attempt(bytes, version: version)
      #expect(decoded.failure == nil, "\(type) version \(version)")
      #expect(decoded.message.encoded(version: version) == bytes, "\(type) version \(version)")
      if version >= type.flexibleFrom { #expect(bytes.last == 0, "\(type) version \(version)") }
    }
  }

  /// Through the enums that the connection uses.
  @Test func requestsAndResponsesByKey() {
    for key in APIKey.allCases {
      for version in key.requestVersions {
        var empty = [UInt8](repeating: 0, count: 4096).withUnsafeBytes {
          Request.decode(key, version: version, from: $0)
        }
        #expect(empty.apiKey == key)
        let bytes = empty.encoded(version: version)
        let again = bytes.withUnsafeBytes { Request.decode(key, version: version, from: $0) }
        #expect(again.encoded(version: version) == bytes, "\(key) version \(version)")
        empty = again
      }
    }
  }
}

extension Request {
  static func decode(_ key: APIKey, version: Int16, from bytes: UnsafeRawBufferPointer) -> Request {
    var reader = Reader(bytes)
    return decode(key, version: version, from: &reader)
  }

  func encoded(version: Int16) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    writer.source = UnsafeRawBufferPointer(start: nil, count: 0)
    encode(into: &writer, version: version)
    return Array(buffer.bytes)
  }
}
