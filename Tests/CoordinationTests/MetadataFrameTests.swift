import Cluster
import KafkaProtocol
import Primitives
import Testing

@testable import Coordination

@Suite struct MetadataFrameTests {
  let frame = MetadataFrame(
    firstOffset: Offset(7),
    records: [
      .cluster(ClusterRecord(clusterId: "ab")), .producerIds(ProducerIdsRecord(nextProducerId: 1000)),
    ])

  @Test func theBytesAreFixed() throws {
    let bytes = try #require(frame.encoded())
    let body: [UInt8] = [
      0, 0, 0, 0, 0, 0, 0, 7,  // first offset
      0, 0, 0, 2,  // records
      0, 0, 0, 6, 0, 1, 3, 0x61, 0x62, 0,  // length, type 1, compact string, no tags
      0, 0, 0, 11, 0, 7, 0, 0, 0, 0, 0, 0, 3, 0xe8, 0,  // length, type 7, int64, no tags
    ]
    #expect(Array(bytes[..<4]) == [0, 0, 0, UInt8(body.count)])
    #expect(Array(bytes[8...]) == body)
    let checksum = body.withUnsafeBytes { CRC32C.checksum($0) }
    #expect(bytes[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == checksum)
  }

  @Test func whatWasWrittenIsRead() throws {
    let bytes = try #require(frame.encoded())
    bytes.withUnsafeBytes { buffer in
      #expect(MetadataFrame.intactByteCount(buffer) == buffer.count)
      #expect(MetadataFrame(intact: buffer) == frame)
    }
    #expect(frame.lastOffset == Offset(8))
  }

  @Test func aRecordOfAnUnknownTypeIsRefused() throws {
    var bytes = try #require(frame.encoded())
    bytes[25] = 99
    #expect(bytes.withUnsafeBytes { MetadataFrame(intact: $0) } == nil)
  }
}
