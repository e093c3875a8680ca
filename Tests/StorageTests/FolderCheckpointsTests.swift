import Primitives
import Testing

@testable import Storage

@Suite struct FolderCheckpointsTests {
  private let orders = TopicPartition("orders", 0)
  private let other = TopicPartition("other", 3)

  @Test func theyAreReadByNameAndOnlyForPartitionsOfTheFolder() throws {
    let disk = MemoryFileSystem()
    for folder in ["data", "data/orders-0"] { try disk.createDirectory(folder) }
    for (number, name) in OffsetCheckpoint.Name.allCases.enumerated() {
      try OffsetCheckpoint(name, logDirectory: "data", fileSystem: disk)
        .write([orders: Offset(Int64(number)), other: Offset(9)])
    }
    let read = try FolderCheckpoints(reading: "data", disk)
    for (number, name) in OffsetCheckpoint.Name.allCases.enumerated() {
      #expect(read[name] == [orders: Offset(Int64(number))])
      #expect(read[name, other] == nil)
    }
  }

  @Test func whatIsForgottenIsGoneFromOneFileAndSaysWhetherThereWasAny() {
    var checkpoints = FolderCheckpoints()
    checkpoints[.recoveryPoint, orders] = Offset(1)
    checkpoints[.logStartOffset, orders] = Offset(2)
    checkpoints[.recoveryPoint, other] = Offset(3)
    let outcomes = (0..<2).map { _ in checkpoints.forget(["orders"], in: .recoveryPoint) }
    #expect(outcomes == [true, false])
    #expect(checkpoints[.recoveryPoint] == [other: Offset(3)])
    #expect(checkpoints[.logStartOffset, orders] == Offset(2))
  }
}
