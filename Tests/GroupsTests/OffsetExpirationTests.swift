import Groups
import KafkaProtocol
import Primitives
import Testing

@Suite struct OffsetExpirationTests {
  private let config = GroupConfig(offsetsRetentionMs: 3_600_000, offsetsRetentionCheckIntervalMs: 600_000)

  @Test func offsetsOfSimpleConsumersExpireFromTheirCommit() {
    let driver = GroupDriver(config)
    _ = driver.commit(1)
    driver.advance(ms: 3_000_000)
    _ = driver.commit(2, topics: ["payments"])
    driver.advance(ms: 600_000)
    #expect(driver.committed("orders") == -1)
    #expect(driver.committed("payments") == 2)
    driver.advance(ms: 3_600_000)
    #expect(driver.describe().groupState == "Dead")
    driver.failOver()
    #expect(driver.describe().groupState == "Dead")
  }

  @Test func aMemberKeepsTheOffsetsOfItsTopics() {
    let driver = GroupDriver(config)
    let member = driver.stableGroup(members: 1, topics: ["orders"])[0]
    #expect(driver.commit(1, member: member, generation: 1, topics: ["orders", "payments"]) == [.none, .none])
    for _ in 0..<1_000 {
      driver.advance(ms: 5_000)
      #expect(driver.heartbeat(member, generation: 1) == ErrorCode.none)
    }
    #expect(driver.committed("orders") == 1)
    #expect(driver.committed("payments") == -1)
    // From when it left they are kept once more for the whole retention time.
    _ = driver.leave([.init(memberId: member)])
    driver.advance(ms: 3_000_000)
    #expect(driver.committed("orders") == 1)
    driver.advance(ms: 1_200_000)
    #expect(driver.committed("orders") == -1)
    #expect(driver.describe().groupState == "Dead")
  }

  @Test func olderClientsSetTheirOwnRetention() {
    let driver = GroupDriver(config)
    #expect(driver.commit(1, retentionMs: 60_000, version: 4) == [.none])
    driver.failOver(config)
    driver.advance(ms: 600_000)
    #expect(driver.committed() == -1)
  }

  @Test func manyOffsetsExpireInManySteps() {
    let driver = GroupDriver(config)
    for group in 0..<3_000 { _ = driver.commit(1, group: "g\(group)") }
    let written = driver.log.count
    driver.advance(ms: 4_200_000)
    #expect(driver.log.count == written + 6_000)  // each offset's tombstone, and each group's
    #expect(driver.describe("g2999").groupState == "Dead")
  }
}
