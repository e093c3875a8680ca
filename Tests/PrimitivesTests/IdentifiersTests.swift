import Primitives
import Testing

@Suite struct IdentifiersTests {
  @Test func identifiersAreOrderedAsTheirNumbers() {
    #expect(Offset(1) < Offset(2) && LeaderEpoch.none < LeaderEpoch(0) && BrokerID(1) < BrokerID(2))
    #expect(ProducerID.none < ProducerID(0) && ProducerEpoch(1) < ProducerEpoch(2))
  }

  @Test func offsetsFromAFileNeverTrap() {
    #expect(Offset(5).advanced(by: 3) == Offset(8))
    #expect(Offset(.max).advanced(by: 1) == Offset(.min))
  }

  @Test func aPartitionIsNamedAsItsFolder() {
    #expect(TopicPartition("my-topic", 12).description == "my-topic-12")
  }
}
