import Testing

@testable import KafkaProtocol

@Suite struct TaggedFieldsTests {
  private func header(_ tagged: [UInt8]) -> (message: ResponseHeader, failure: DecodeError?, position: Int) {
    ResponseHeader.attempt([0, 0, 0, 7] + tagged, version: 1)
  }

  @Test func unknownTagsArePassedOver() {
    let decoded = header([2, 5, 3, 1, 2, 3, 0x80, 0x01, 0])
    #expect(decoded.failure == nil)
    #expect(decoded.message.correlationId == 7)
    #expect(decoded.position == 13)
  }

  @Test func twentyMillionClaimed() {
    // 20,000,000 as a varint, and then nothing.
    #expect(header([0x80, 0xda, 0xc4, 0x09]).failure == .badLength)
  }

  @Test func aMillionPresent() {
    let count = 1_000_000
    let decoded = header([0xc0, 0x84, 0x3d] + [UInt8](repeating: 0, count: 2 * count))
    #expect(decoded.failure == nil)
    #expect(decoded.position == 4 + 3 + 2 * count)
  }

  @Test func aFieldLongerThanTheBytes() {
    #expect(header([1, 0, 5, 1, 2]).failure == .truncated)
  }

  /// Fetch version 12: tag 0 is the cluster id.
  private func fetch(_ tagged: [UInt8]) -> (message: FetchRequest, failure: DecodeError?, position: Int) {
    let fixed = FetchRequest().encoded(version: 12).dropLast()
    return FetchRequest.attempt(fixed + tagged, version: 12)
  }

  @Test func aKnownFieldThatLeavesBytesBehindIsPassedOver() {
    let decoded = fetch([1, 0, 5, 3, 0x61, 0x62, 9, 9])
    #expect(decoded.failure == nil)
    #expect(decoded.message.clusterId == "ab")
  }

  @Test func aKnownFieldThatReachesBeyondItsEnd() {
    #expect(fetch([2, 0, 2, 3, 0x61, 0x62, 9, 0]).failure == .badTaggedField)
  }

  @Test func theSameFieldTwice() {
    let decoded = fetch([2, 0, 2, 2, 0x61, 0, 2, 2, 0x62])
    #expect(decoded.failure == nil)
    #expect(decoded.message.clusterId == "b")
  }

  /// 127 bytes fit a length of one byte; with more the field is moved.
  @Test(arguments: [0, 1, 120, 126, 127, 128, 129, 16_380, 16_384, 32_000])
  func lengthsInFrontOfFields(_ count: Int) {
    let message = FetchRequest(clusterId: String(repeating: "c", count: count), maxWaitMs: 5, rackId: "r")
    let bytes = message.encoded(version: 12)
    let decoded = FetchRequest.attempt(bytes, version: 12)
    #expect(decoded.failure == nil)
    #expect(decoded.position == bytes.count)
    #expect(decoded.message == message)
  }
}
