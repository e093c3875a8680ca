import Groups
import Testing

@Suite struct GroupPartitionTests {
  @Test(
    arguments: [
      ("console-consumer-21343", 34),  // seen in a log of Kafka's
      ("", 0),
      ("polygenelubricants", 0),  // its hash is the smallest integer
      ("\u{1F600}", 49),  // two UTF-16 units
    ] as [(String, Int32)])
  func isKafkas(group: String, partition: Int32) {
    #expect(GroupCoordinator.partition(for: group, partitionCount: 50) == partition)
  }

  @Test func memberIDsAreThePrefixAndAUUID() {
    var random = SeededRandom(state: 3)
    let id = MemberID.make(prefix: "client") { random.next() }.text
    #expect(id.wholeMatch(of: /client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    let long = MemberID.make(prefix: String(repeating: "x", count: 30_000)) { random.next() }.text
    #expect(long.utf8.count == 1_037)
  }
}
