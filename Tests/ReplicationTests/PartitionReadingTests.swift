import Cluster
import Primitives
import Testing

@testable import Replication
@testable import Storage

@Suite struct PartitionReadingTests {
  private func read(_ fetch: FollowerFetch, _ fixture: ReplicaFixture) throws -> Partition.FollowerRead {
    try fixture.partition.read(for: fetch, maxBytes: 1 << 20, minOneBatch: true)
  }

  /// A leader in term 6, whose log has three records of term 4 and two of term 6.
  private func leader() throws -> ReplicaFixture {
    let fixture = try ReplicaFixture()
    fixture.image.leader = BrokerID(2)
    fixture.apply()
    try fixture.copy(from: 0, epochs: [4, 4, 4])
    _ = fixture.lead(1)
    try fixture.append(2)
    return fixture
  }

  @Test func followersReadToTheEndOfWhatIsWritten() throws {
    let fixture = try leader()
    guard case .records(let slice) = try read(fixture.fetch(2, at: 1, lastEpoch: 4), fixture) else {
      Issue.record("no records")
      return
    }
    #expect(slice.nextOffset == Offset(5) && fixture.partition.highWatermark == .zero)
  }

  @Test func whatAnotherReplicaHasIsNotPassedOver() throws {
    let fixture = try leader()
    // The file of the first segment has lost offsets 1 and 2.
    fixture.partition.log.segments[0].missing = DamagedRange(
      position: 0, end: 0, firstOffset: Offset(1), endOffset: Offset(3), reason: "cut")
    func code(_ read: () throws(KafkaError) -> Void) -> ErrorCode {
      do throws(KafkaError) { try read() } catch { return error.code }
      return .none
    }
    let partition = fixture.partition
    for offset: Int64 in [1, 2] {
      let fetch = fixture.fetch(2, at: offset, lastEpoch: 4)
      #expect(
        code { () throws(KafkaError) in _ = try partition.read(for: fetch, maxBytes: 100, minOneBatch: true) }
          == .corruptMessage)
      #expect(
        code { () throws(KafkaError) in
          _ = try partition.read(from: Offset(offset), maxBytes: 100, minOneBatch: true)
        } == .corruptMessage)
    }
    let behind = fixture.fetch(2, at: 3, lastEpoch: 4)
    #expect(
      code { () throws(KafkaError) in _ = try partition.read(for: behind, maxBytes: 100, minOneBatch: true) } == .none)
    // Nobody has it: reading goes on.
    fixture.image.replicas = [BrokerID(1)]
    _ = fixture.lead(1, isr: [1])
    #expect(
      code { () throws(KafkaError) in _ = try partition.read(from: Offset(1), maxBytes: 100, minOneBatch: true) }
        == .none)
  }

  @Test func historiesThatPartAreToldSo() throws {
    let fixture = try leader()
    func diverging(_ offset: Int64, _ epoch: Int32) throws -> [Int64]? {
      guard case .diverging(let term, let end) = try read(fixture.fetch(2, at: offset, lastEpoch: epoch), fixture)
      else { return nil }
      return [Int64(term.value), end.value]
    }
    #expect(try diverging(4, 5) == [4, 3], "of term 5 there is nothing here")
    #expect(try diverging(4, 4) == [4, 3], "term 4 ended at 3")
    #expect(try diverging(6, 6) == [6, 5], "the follower is ahead")
    #expect(try diverging(3, 4) == nil && diverging(5, 6) == nil)
  }

  @Test func offsetsOutsideAreToldWithTheLogsStart() throws {
    let fixture = try leader()
    try fixture.partition.log.deleteRecords(before: Offset(2), now: fixture.wallClock)
    for (offset, epoch): (Int64, Int32) in [(1, 4), (0, -1), (9, -1)] {
      guard case .outOfRange(let start) = try read(fixture.fetch(2, at: offset, lastEpoch: epoch), fixture) else {
        Issue.record("\(offset) is not in the log")
        continue
      }
      #expect(start == Offset(2))
    }
  }

  @Test func fetchesOfOtherTermsAndStrangersAreRefused() throws {
    let fixture = try leader()
    func refused(_ fetch: FollowerFetch) -> ErrorCode { code { _ = try read(fetch, fixture) } }
    #expect(refused(fixture.fetch(2, at: 0, epoch: 5)) == .fencedLeaderEpoch)
    #expect(refused(fixture.fetch(2, at: 0, epoch: 7)) == .unknownLeaderEpoch)
    #expect(refused(fixture.fetch(2, at: 0, epoch: -1)) == .invalidRequest)
    #expect(refused(fixture.fetch(9, at: 0)) == .unknownLeaderEpoch)
    fixture.fetched(2, at: 3, brokerEpoch: 110)
    #expect(refused(fixture.fetch(2, at: 4, brokerEpoch: 102)) == .notLeaderOrFollower, "it has started anew since")
    #expect(refused(fixture.fetch(2, at: 4, brokerEpoch: 110)) == .none)
    _ = fixture.lead(2)
    #expect(refused(fixture.fetch(3, at: 0)) == .notLeaderOrFollower)
  }

  @Test func aFetchOfAnotherTermDoesNotCount() throws {
    let fixture = try leader()
    #expect(!fixture.partition.followerFetched(fixture.fetch(2, at: 5, epoch: 5), now: fixture.now))
    #expect(fixture.partition.leading?.replicas.first?.logEndOffset == nil)
  }
}
