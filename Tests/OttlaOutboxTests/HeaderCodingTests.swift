import Testing

@testable import OttlaOutbox

@Suite struct HeaderCodingTests {
  let headers = [
    OutboxMessage.Header("a", "1"), .init("Việt", Array(0...255)), .init("null", nil as [UInt8]?), .init("empty", ""),
  ]

  @Test func headersComeBackAsTheyWent() {
    #expect(HeaderCoding.decode(HeaderCoding.encode(headers)) == headers)
    #expect(HeaderCoding.encode([]) == [])
    #expect(HeaderCoding.decode([]) == [])
  }

  @Test func whatIsCutIsRefused() {
    let bytes = HeaderCoding.encode(headers)
    let ends = headers.indices.map { HeaderCoding.encode(Array(headers[...$0])).count }
    for count in 1..<bytes.count where !ends.contains(count) {
      #expect(HeaderCoding.decode(Array(bytes.prefix(count))) == nil, "\(count)")
    }
  }
}
