import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct LogStallTests {
  private func fixture() throws -> (LogFixture, SimulatedDisk) {
    let disk = SimulatedDisk(folders: ["data"], pageByteCount: 512)
    let fixture = try LogFixture(LogConfig(segmentBytes: 1 << 20, indexIntervalBytes: 100), fileSystem: disk)
    try fixture.append(makeBatch(2, producerID: 7, producerEpoch: 0, baseSequence: 0))
    try fixture.log.flush()
    return (fixture, disk)
  }

  /// Lets nothing more be written than there is.
  private func fill(_ disk: SimulatedDisk) { disk.capacity = disk.usedBytes }

  @Test(arguments: [20, 9000]) func whatFoundNoRoomIsTakenBackAndTheLogWaitsForRoom(valueByteCount: Int) throws {
    let (fixture, disk) = try fixture()
    let log = fixture.log
    let size = log.sizeBytes
    fill(disk)
    let batch = makeBatch(2, valueByteCount: valueByteCount, producerID: 7, producerEpoch: 0, baseSequence: 2)
    #expect(throws: LogError.self) {
      try fixture.append(batch)
      try log.writePending()
    }
    #expect(log.stalled?.isOutOfSpace == true && !log.isFenced && !log.takesAppends)
    #expect(log.logEndOffset == Offset(2) && log.writtenEndOffset == Offset(2) && log.sizeBytes == size)
    // The producer's next try is not a gap, and what is there can be read.
    #expect(log.producers.states[ProducerID(7)]?.last?.lastSequence == 1)
    #expect(try log.read(from: .zero, maxBytes: 1000, upTo: Offset(2), minOneBatch: true).range != nil)
    #expect(throws: LogError.self) { try fixture.append(batch) }

    disk.capacity = nil
    log.resume()
    #expect(try fixture.append(batch).baseOffset == Offset(2))
    try log.flush()
    try fixture.reopen(.unclean(recoveryPoint: Offset(4)))
    #expect(fixture.log.logEndOffset == Offset(4))
    #expect(fixture.log.recovered.truncatedBytes == 0)
  }

  @Test func anotherErrorIsForGood() throws {
    let (fixture, disk) = try fixture()
    disk.fail(call: 1, errno: 5, calls: [.write])
    #expect(throws: LogError.self) {
      try fixture.append(makeBatch(1))
      try fixture.log.writePending()
    }
    #expect(fixture.log.isFenced && fixture.log.stalled == nil)
  }
}
