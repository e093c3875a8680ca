import Cluster
import Primitives
import Testing

@testable import Replication

@Suite struct PreferredReadReplicaTests {
  @Test func aReplicaInTheReadersRackIsPreferred() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    try fixture.append(3)
    func preferred(_ rack: String?, at offset: Int64 = 1) -> Int32? {
      fixture.partition.preferredReadReplica(rack: rack, ownRack: "r1", offset: Offset(offset), now: fixture.now)?.value
    }
    #expect(preferred("r2") == nil, "it has not fetched yet")
    fixture.fetched(2, at: 3)
    fixture.fetched(3, at: 2)
    #expect(preferred("r2") == 2 && preferred("r3") == 3)
    #expect(preferred("r1") == nil && preferred("r9") == nil && preferred(nil) == nil && preferred("") == nil)
    #expect(preferred("r3", at: 3) == nil, "it does not have that offset")
    fixture.pass(ms: 1100)
    #expect(preferred("r2") == 2 && preferred("r3") == nil, "broker 3 lags")
    fixture.register(BrokerID(2), epoch: 102, isFenced: true)
    fixture.apply()
    #expect(preferred("r2") == nil)
    _ = fixture.lead(2)
    #expect(preferred("r3") == nil, "only a leader knows")
  }
}
