import Testing
import UserNotifications

@Suite struct PartitionHolderTests {
  private let own = ConsumerAddress(http: "127.0.0.1:8081")
  private let other = ConsumerAddress(http: "127.0.0.1:8082")

  @Test func aClientIdNamesTheServer() {
    #expect(other.clientId == "notification-consumer@127.0.0.1:8082" && other.url == "http://127.0.0.1:8082")
    #expect(ConsumerAddress(clientId: other.clientId) == other)
    for clientId in ["", "rdkafka", "notification-consumer", "notification-consumer@", "127.0.0.1:8082"] {
      #expect(ConsumerAddress(clientId: clientId) == nil, "\(clientId)")
    }
  }

  @Test func whoeverHasThePartitionHoldsIt() {
    let members = [
      GroupMember(clientId: own.clientId, partitions: [0]), GroupMember(clientId: "rdkafka", partitions: [3]),
      GroupMember(clientId: other.clientId, partitions: [1, 2]), GroupMember(clientId: other.clientId, partitions: []),
    ]
    func holder(_ partition: Int32) -> PartitionHolder {
      PartitionHolder(of: partition, among: members, askedBy: own)
    }
    #expect(holder(0) == .own)
    #expect(holder(1) == .other(other) && holder(2) == .other(other))
    #expect(holder(3) == .stranger(clientId: "rdkafka"))
    #expect(holder(4) == .nobody)
    #expect(PartitionHolder(of: 0, among: [], askedBy: own) == .nobody)
  }
}
