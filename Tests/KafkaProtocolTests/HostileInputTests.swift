import Testing

@testable import KafkaProtocol

/// What a peer could send to hurt us. That nothing traps is shown by the tests coming to their end.
@Suite struct HostileInputTests {
  /// A message that ends anywhere before its end is refused.
  @Test func truncatedAtEveryByte() {
    for type in everyMessage { truncate(type) }
  }

  private func truncate<Type: RandomMessage>(_ type: Type.Type) {
    for version in type.versions {
      var random = RandomValues(seed: 11)
      let bytes = type.random(&random, version: version).encoded(version: version)
      bytes.withUnsafeBytes { bytes in
        for length in stride(from: 0, to: bytes.count, by: bytes.count > 600 ? 7 : 1) {
          var reader = Reader(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
          _ = type.decode(from: &reader, version: version)
          if reader.failure == nil { Issue.record("\(type) version \(version) cut to \(length) of \(bytes.count)") }
        }
      }
    }
  }

  /// Bytes changed, lengths enlarged, pieces repeated: decoding ends, within the memory given to it.
  @Test func mutated() {
    for type in everyMessage { mutate(type) }
  }

  private func mutate<Type: RandomMessage>(_ type: Type.Type) {
    for version in type.versions {
      var random = RandomValues(seed: UInt64(version) &+ 5)
      let original = type.random(&random, version: version).encoded(version: version)
      for _ in 0..<40 {
        var bytes = original
        for _ in 0...random.below(4) where !bytes.isEmpty { Self.change(&bytes, &random) }
        let decoded = type.attempt(bytes, version: version)
        // What was accepted can be written again, and read again.
        if decoded.failure == nil {
          let again = decoded.message.encoded(version: version, source: bytes)
          if type.attempt(again, version: version).failure != nil {
            Issue.record("\(type) version \(version): \(bytes)")
          }
        }
      }
    }
  }

  private static func change(_ bytes: inout [UInt8], _ random: inout RandomValues) {
    let place = random.below(bytes.count)
    switch random.below(5) {
    case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 1: bytes[place] = 0xff
    case 2: bytes[place] = 0
    case 3: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff, 0x0f], at: place)
    default: bytes[place] ^= 1 << UInt8(random.below(8))
    }
  }

  /// Nothing but one byte, over and over, in every request of every version.
  @Test func monotonous() {
    for byte: UInt8 in [0, 1, 2, 0x7f, 0x80, 0xff] {
      [UInt8](repeating: byte, count: 3000).withUnsafeBytes { bytes in
        for key in APIKey.allCases {
          for version in key.requestVersions {
            _ = Request.decode(key, version: version, from: bytes)
            var reader = Reader(bytes)
            _ = Response.decode(key, version: version, from: &reader)
          }
        }
      }
    }
  }

  /// With a small budget a message full of empty elements is refused; with its own it is taken.
  @Test func elementsWithoutBytes() throws {
    let message = MetadataRequest(topics: (0..<10_000).map { _ in .init(name: "") })
    let bytes = message.encoded(version: 9)
    #expect(MetadataRequest.attempt(bytes, version: 9).failure == nil)
    bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes, allocationBudgetBytes: 100_000)
      _ = MetadataRequest.decode(from: &reader, version: 9)
      #expect(reader.failure == .budgetExceeded)
    }
  }

  @Test func nullArrays() {
    // Metadata version 0 knows no null; version 1 does.
    #expect(MetadataRequest.attempt([0xff, 0xff, 0xff, 0xff], version: 0).failure == .unexpectedNull)
    #expect(MetadataRequest.attempt([0xff, 0xff, 0xff, 0xff], version: 1).message.topics == nil)
  }
}
