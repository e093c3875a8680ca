import Primitives
import Testing

@testable import KafkaProtocol

@Suite struct WriterTests {
  private func written(_ body: (inout Writer) -> Void) -> [UInt8] {
    let buffer = OutputBuffer(capacity: 1)
    var writer = Writer(buffer)
    body(&writer)
    return Array(buffer.bytes)
  }

  @Test func fixedWidths() {
    let bytes = written { writer in
      writer.int8(-1)
      writer.int16(0x0102)
      writer.int32(-2)
      writer.bool(true)
      writer.uuid(UUID(high: 1, low: 2))
    }
    #expect(bytes == [0xff, 1, 2, 0xff, 0xff, 0xff, 0xfe, 1] + [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
  }

  @Test(
    arguments: [
      (UInt32(0), [0x00]), (127, [0x7f]), (128, [0x80, 0x01]), (16_384, [0x80, 0x80, 0x01]),
      (.max, [0xff, 0xff, 0xff, 0xff, 0x0f]),
    ] as [(UInt32, [UInt8])])
  func varints(_ value: UInt32, _ bytes: [UInt8]) {
    #expect(written { $0.unsignedVarint(value) } == bytes)
  }

  @Test func strings() {
    #expect(written { $0.string("ab", compact: false) } == [0, 2, 97, 98])
    #expect(written { $0.string("ab", compact: true) } == [3, 97, 98])
    #expect(written { $0.nullableString(nil, compact: false) } == [0xff, 0xff])
    #expect(written { $0.nullableString(nil, compact: true) } == [0])
  }

  @Test func stringsTooLongAreCut() {
    let long = String(repeating: "y", count: 40_000)
    #expect(written { $0.string(long, compact: false) }.count == 2 + 32_767)
    #expect(written { $0.string(long, compact: true) }.count == 3 + 32_767)
  }

  /// A field that the version lacks is left out, whatever its value.
  @Test func fieldsThatAVersionLacks() {
    let message = HeartbeatRequest(groupId: "g", memberId: "m", groupInstanceId: "static")
    let decoded = HeartbeatRequest.attempt(message.encoded(version: 0), version: 0)
    #expect(decoded.failure == nil)
    #expect(decoded.message.groupInstanceId == nil)
  }

  /// Null where the version has none becomes empty.
  @Test func nullThatAVersionLacks() {
    #expect(MetadataRequest(topics: nil).encoded(version: 0) == [0, 0, 0, 0])
    #expect(MetadataRequest(topics: nil).encoded(version: 1) == [0xff, 0xff, 0xff, 0xff])
  }

  /// Records from a file leave their length in the buffer, and a cut where the bytes belong.
  @Test func cuts() {
    func partition(_ index: Int32, _ records: RecordsPayload) -> FetchResponse.PartitionData {
      .init(partitionIndex: index, records: records)
    }
    func response(_ first: RecordsPayload, _ second: RecordsPayload) -> FetchResponse {
      let partitions = [partition(0, first), partition(1, .null), partition(2, second)]
      return FetchResponse(responses: [.init(topic: "t", partitions: partitions)])
    }
    let buffer = OutputBuffer()
    buffer.append([1, 2, 3])
    var writer = Writer(buffer)
    response(.external(byteCount: 5), .external(byteCount: 200)).encode(into: &writer, version: 12)
    #expect(writer.cuts.map(\.byteCount) == [5, 200])

    // With the bytes put in at the cuts, it is the message that holds them itself.
    let (small, large) = ([UInt8](repeating: 7, count: 5), [UInt8](repeating: 8, count: 200))
    var bytes = Array(buffer.bytes)
    bytes.insert(contentsOf: large, at: writer.cuts[1].bufferPosition)
    bytes.insert(contentsOf: small, at: writer.cuts[0].bufferPosition)
    #expect(Array(bytes[3...]) == response(.bytes(small), .bytes(large)).encoded(version: 12))
  }

  @Test func slicesPointIntoTheFrame() throws {
    let request = ProduceRequest(topicData: [
      .init(name: "t", partitionData: [.init(index: 1, records: .bytes([9, 8, 7]))])
    ])
    let frame = request.encoded(version: 9)
    try frame.withUnsafeBytes { frame in
      let records = try ProduceRequest.decode(frame, version: 9).topicData[0].partitionData[0].records
      #expect(records.byteCount == 3)
      #expect(records.resolved(in: frame).map(Array.init) == [9, 8, 7])
      #expect(records.resolved(in: UnsafeRawBufferPointer(rebasing: frame[..<4])) == nil)
    }
  }
}
