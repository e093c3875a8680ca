import Simulation
import Testing

@testable import Storage

@Suite struct BootMarkTests {
  private let disk = SimulatedDisk(folders: ["data"])

  @Test func aMarkCountsForItsBootOnly() throws {
    #expect(try !BootMark.isCurrent("one", in: "data", disk))
    try BootMark.renew("one", in: "data", disk)
    #expect(try BootMark.isCurrent("one", in: "data", disk))
    #expect(try !BootMark.isCurrent("two", in: "data", disk) && !BootMark.isCurrent(nil, in: "data", disk))
    // Where the kernel tells no id, nothing is noted, and an old mark is of no use.
    try BootMark.renew(nil, in: "data", disk)
    try BootMark.renew("two", in: "data", disk)
    #expect(try BootMark.isCurrent("two", in: "data", disk) && !BootMark.isCurrent("one", in: "data", disk))
  }

  @Test func bothIsOnTheDiskAtOnce() throws {
    try BootMark.renew("one", in: "data", disk)
    let marked = disk.afterPowerCut(data: .lost, names: .lost)
    #expect(try BootMark.isCurrent("one", in: "data", marked))
    try BootMark.forget(in: "data", marked)
    #expect(try !BootMark.isCurrent("one", in: "data", marked.afterPowerCut(data: .lost, names: .lost)))
    try BootMark.forget(in: "data", marked)
  }
}
