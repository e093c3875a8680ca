import Foundation
import Simulation
import TestSupport
import Testing

@testable import Broker

@Suite struct RandomWalkTests {
  @Test(arguments: UInt64(1)...60) func nothingAcknowledgedIsLostWhateverHappens(seed: UInt64) throws {
    let walk = try Walk(seed: seed, shards: 1 + Int(seed % 3))
    for round in 0..<12 {
      for _ in 0..<60 { walk.step() }
      switch (seed + UInt64(round)) % 6 {
      case 0: walk.failSomeWrites()
      case 1: try walk.restart(isClean: true)
      case 2: try walk.restart(isClean: false)
      default: break
      }
      try walk.check()
    }
    #expect(walk.acknowledgedCount > 50, "the walk did little: \(walk.acknowledgedCount) records")
  }

  /// `OTTLA_SEEDS=1000` runs more than the usual number of seeds.
  private static let seeds = 1...(ProcessInfo.processInfo.environment["OTTLA_SEEDS"].flatMap { UInt64($0) } ?? 40)

  /// The same on a disk that loses what was not synced when the power goes, with two data folders, a compacted topic, a full
  /// disk now and then, and reads of old segments that go to the disk.
  @Test(arguments: seeds) func nothingAcknowledgedIsLostWithThePower(seed: UInt64) throws {
    try walkLosingPower(seed)
  }

  /// Seed 103 cuts the power before a recovery point of b-2 was noted. The end of its first segment is lost and the second
  /// one is there: the log ends at the hole, what is behind it is not served.
  @Test func aYoungLogIsAPrefixAfterAPowerCut() throws { try walkLosingPower(103) }

  /// Seeds 207 and 213 have a deletion whose sync fails in the metadata log: it is refused, and done after the next start.
  @Test(arguments: [207, 213]) func aChangeThatWasRefusedForItsSyncMayBeThere(seed: UInt64) throws {
    try walkLosingPower(seed)
  }

  /// Seeds 72 and 125 have a disk that has no room for any call: requests that waited for a flush, which could not begin, were
  /// never answered.
  @Test(arguments: [72, 125]) func whoWaitsForAFlushThatCannotBeginIsAnswered(seed: UInt64) throws {
    try walkLosingPower(seed)
  }

  private func walkLosingPower(_ seed: UInt64) throws {
    let disk = SimulatedDisk(
      folders: ["/data", "/other"], pageByteCount: seed % 3 == 0 ? 512 : 4096, isCacheWarm: seed % 2 == 0)
    if seed % 5 == 0 { disk.writeBackEagerly(seed: seed) }
    let walk = try Walk(seed: seed, shards: 1 + Int(seed % 3), on: disk)
    for round in 0..<12 {
      for _ in 0..<60 { walk.step() }
      if walk.isFull { walk.makeRoom() }
      switch (seed + UInt64(round)) % 8 {
      case 0: walk.failSomeWrites()
      case 1: try walk.restart(isClean: true)
      case 2: try walk.restart(isClean: false)
      case 3, 5: try walk.cutPower()
      case 6: walk.fillUp()
      default: break
      }
      try walk.check()
    }
    #expect(walk.acknowledgedCount > 20, "the walk did little: \(walk.acknowledgedCount) records")
  }

  /// The same seed leads to the same steps: a failure can be looked at again.
  @Test func aSeedDecidesEverything() throws {
    func bytes(_ seed: UInt64) throws -> [Int] {
      let walk = try Walk(seed: seed, shards: 3)
      for _ in 0..<300 { walk.step() }
      return walk.walkers.map(\.client.bytesReceivedCount) + [walk.acknowledgedCount]
    }
    #expect(try bytes(5) == bytes(5))
  }
}
