import Testing

@testable import OttlaOutbox

@Suite struct OutboxRowTests {
  @Test func aLaneIsTopicAndKeyInEveryProcess() {
    // Written into databases: neither may ever change.
    let lane = OutboxLane(of: OutboxMessage(topic: "notification", key: "user-1", text: ""))
    #expect(lane == OutboxLane(of: OutboxMessage(id: "other", topic: "notification", key: "user-1", text: "x")))
    #expect(lane.lane == Int64(bitPattern: Self.fnv("notification\0user-1")))
    #expect(OutboxLane(of: OutboxMessage(topic: "notificationu", key: "ser-1", text: "")).lane != lane.lane)
    #expect(OutboxLane(of: OutboxMessage(topic: "t", value: nil)).lane == nil)
  }

  /// FNV-1a, again: offset basis and prime as its authors print them, in decimal.
  private static func fnv(_ text: String) -> UInt64 {
    var hash: UInt64 = 14_695_981_039_346_656_037
    for byte in text.utf8 {
      hash ^= UInt64(byte)
      hash = hash &* 1_099_511_628_211
    }
    return hash
  }

  @Test func slotsAreUsedEvenly() {
    var counts = Array(repeating: 0, count: OutboxLane.slotCount)
    for number in 0..<16_000 {
      counts[OutboxLane(of: OutboxMessage(topic: "t", key: "user-\(number)", text: "")).slot] += 1
    }
    #expect(counts.allSatisfy { (800...1200).contains($0) }, "\(counts)")
  }
}
