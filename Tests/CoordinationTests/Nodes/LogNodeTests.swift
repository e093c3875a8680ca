import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Coordination

@Suite struct LogNodeTests {
  private let token = WriterToken(incarnation: UUID(high: 3, low: 4), number: 5)
  private let records = (0..<40).map { MetadataRecord.note("name\($0)", String(repeating: "v", count: $0 * 3)) }

  @Test func aChangeIsSplitWithoutGapsAndReadAgain() throws {
    let nodes = try #require(
      LogNode.split(records, firstOffset: Offset(7), token: token, nodeBytesMax: 300))
    #expect(nodes.count > 5)
    var next = Offset(7)
    for (index, node) in nodes.enumerated() {
      let bytes = try #require(node.bytes)
      #expect(bytes.count < 300 + 60)
      #expect(LogNode(bytes) == node && LogNode.token(of: bytes) == token)
      #expect(node.part == UInt32(index) && node.isLast == (index == nodes.count - 1))
      #expect(node.frame.firstOffset == next)
      next = node.frame.lastOffset.advanced(by: 1)
    }
    #expect(nodes.flatMap(\.frame.records) == records)
  }

  @Test func aRecordThatFitsNoNodeIsRefused() {
    #expect(LogNode.split(records, firstOffset: .zero, token: token, nodeBytesMax: 100) == nil)
    #expect(LogNode.split([], firstOffset: .zero, token: token, nodeBytesMax: 100)?.isEmpty == true)
  }

  /// Cut anywhere, or changed behind the token, a node is none.
  @Test func damageIsSeen() throws {
    let node = try #require(
      LogNode.split([.note("a", "b")], firstOffset: .zero, token: token, nodeBytesMax: 300)?.first)
    let bytes = try #require(node.bytes)
    for length in 0..<bytes.count { #expect(LogNode(Array(bytes[..<length])) == nil) }
    for position in 33..<bytes.count {
      var damaged = bytes
      damaged[position] ^= 0x40
      #expect(LogNode(damaged) == nil)
    }
  }
}
