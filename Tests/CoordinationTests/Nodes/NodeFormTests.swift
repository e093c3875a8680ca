import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Coordination

/// The forms of znodes: what is written is read again, and tools find what they look for.
@Suite struct NodeFormTests {
  private static let time = Timestamp(milliseconds: 1_700_000_000_000)

  @Test func aBrokersNodeHasKafkasFieldsAndOurs() {
    var presence = BrokerPresence.sample(2)
    presence.endpoints.append(BrokerEndpoint(name: "SECURE", host: "::1", port: 9093, securityProtocol: 3))
    presence.lastRun = .stopped(brokerEpoch: 17)
    let bytes = BrokerNode.bytes(presence, at: Self.time)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"version":5,"host":"host2","port":9092,"endpoints":["PLAINTEXT://host2:9092","SECURE://[::1]:9093"],"#
        + #""jmx_port":-1,"timestamp":"1700000000000","rack":"rack","features":{},"#
        + #""listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT","SECURE":"SASL_SSL"},"#
        + #""incarnation":"AAAAAAAAAAIAAAAAAAAAAQ","dataId":"AAAAAAAAAAcAAAAAAAAAAg","#
        + #""lastRun":{"how":"stopped","brokerEpoch":17}}"#)
    #expect(BrokerNode.presence(of: bytes, id: BrokerID(2)) == presence)
    #expect(BrokerNode.address(of: bytes) == "host2:9092")
  }

  @Test func everyLastRunAndNoRackAreReadAgain() {
    for lastRun in [.killed, .lost, .foldersGone, .stopped(brokerEpoch: .max)] as [LastRun] {
      var presence = BrokerPresence.sample(1)
      presence.lastRun = lastRun
      #expect(BrokerNode.presence(of: BrokerNode.bytes(presence, at: Self.time), id: BrokerID(1)) == presence)
    }
  }

  @Test func kafkasOwnBrokerIsNoneOfOurs() {
    let text =
      #"{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://h:9092"],"#
      + #""jmx_port":-1,"port":9092,"host":"h","version":5,"timestamp":"1"}"#
    #expect(BrokerNode.presence(of: Array(text.utf8), id: BrokerID(1)) == nil)
    #expect(BrokerNode.address(of: Array(text.utf8)) == "h:9092")
  }

  @Test func theOtherNodesAreReadAsTheyWereWritten() {
    let controller = ControllerNode(brokerID: BrokerID(3), controllerEpoch: 9, incarnation: UUID(high: 1, low: 2))
    #expect(ControllerNode(controller.bytes(at: Self.time)) == controller)
    #expect(
      String(decoding: controller.bytes(at: Self.time), as: UTF8.self).hasPrefix(
        #"{"version":1,"brokerid":3,"timestamp":"#))
    let head = LogHead(nextNode: 12, lastOffset: Offset(34))
    #expect(LogHead(head.bytes) == head && LogHead(LogHead.empty.bytes) == .empty)
    let name = SnapshotName(name: "0000000012-x", chunkCount: 2, nextNode: 12, lastOffset: Offset(34))
    for pointer in [.none, .init(current: name, previous: nil), .init(current: name, previous: name)]
      as [SnapshotPointer]
    {
      #expect(SnapshotPointer(pointer.bytes) == pointer)
    }
    #expect(ClusterIDNode.id(of: Array(#"{"version":"1","id":"abc"}"#.utf8)) == "abc")
    #expect(ClusterIDNode.bytes("abc") == Array(#"{"version":"1","id":"abc"}"#.utf8))
    #expect(ControllerEpochNode.epoch(of: ControllerEpochNode.bytes(.max)) == .max)
  }

  @Test func whatCannotBeIsRefused() {
    #expect(ControllerEpochNode.epoch(of: Array("-1".utf8)) == nil && ControllerEpochNode.epoch(of: []) == nil)
    #expect(ControllerEpochNode.epoch(of: Array("99999999999".utf8)) == nil)
    #expect(LogHead(Array(#"{"nextNode":-1,"lastOffset":1}"#.utf8)) == nil && LogHead([]) == nil)
    #expect(SnapshotPointer(Array(#"{"current":{"name":"../x"},"previous":null}"#.utf8)) == nil)
    let evil = SnapshotPointer(
      current: SnapshotName(name: "../controller", chunkCount: 1, nextNode: 1, lastOffset: .zero), previous: nil)
    #expect(SnapshotPointer(evil.bytes) == nil)
    #expect(ClusterIDNode.id(of: Array(#"{"version":"1"}"#.utf8)) == nil)
  }
}
