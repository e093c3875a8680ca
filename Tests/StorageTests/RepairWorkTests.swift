import Effects
import Primitives
import Simulation
import Synchronization
import Testing

@testable import Storage

@Suite struct RepairWorkTests {
  private func work() throws -> (RepairFixture, RepairWork) {
    let fixture = try RepairFixture { disk in
      try RepairFixture.change(RepairFixture.paths(disk)[1], disk) { $0[200] ^= 1 }
    }
    var draft = RepairDraft(try #require(fixture.own.log.damagedPlace))
    let step = try fixture.fill(&draft)
    try #require(step == .isReady)
    return (fixture, try #require(try fixture.own.log.repairWork(draft)))
  }

  @Test func whatIsWrittenIsOnTheDisk() throws {
    let (fixture, work) = try work()
    let disk = try fixture.disk
    let path = RepairFixture.paths(disk)[1]
    let before = disk.contents(path)
    _ = try work.run(disk)
    let after = try #require(disk.contents(path))
    #expect(after != before && disk.isOnDisk(path, byteCount: after.count))
  }

  @Test func aWriteThatFailsLeavesTheDamageKnown() throws {
    let (fixture, work) = try work()
    let disk = try fixture.disk
    disk.fail(call: 1, isLasting: true, calls: [.write])
    #expect(throws: IOError.self) { try work.run(disk) }
    #expect(fixture.own.log.damagedPlace == work.place)
    disk.heal()
    try fixture.repairAll()
    try fixture.expectWhole()
  }

  @Test func aFileThatWasReplacedMeanwhileIsLeftAlone() throws {
    let (fixture, work) = try work()
    let disk = try fixture.disk
    let path = RepairFixture.paths(disk)[1]
    try disk.rename(path, to: path + ".deleted")
    let count = disk.names(in: LogFixture.directory).count
    _ = try work.run(disk)
    #expect(disk.names(in: LogFixture.directory).count == count, "nothing is made under the old name")
  }
}
