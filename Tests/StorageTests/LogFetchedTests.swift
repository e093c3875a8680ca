import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

@Suite struct LogFetchedTests {
  /// A leader's log with some terms, producers and sizes, and everything in it.
  private func leader(_ seed: UInt64, segmentBytes: Int = 1200) throws -> (LogFixture, [UInt8]) {
    var random = SeededGenerator(seed)
    let leader = try LogFixture(LogConfig(segmentBytes: segmentBytes, indexIntervalBytes: 100))
    var epoch: Int32 = 0
    var sequence: Int32 = 0
    for _ in 0..<30 {
      if Int.random(in: 0..<6, using: &random) == 0 { epoch += 1 }
      let count = Int.random(in: 1...4, using: &random)
      let isIdempotent = Bool.random(using: &random)
      try leader.append(
        makeBatch(
          count, valueByteCount: Int.random(in: 0...60, using: &random), producerID: isIdempotent ? 5 : -1,
          producerEpoch: isIdempotent ? 0 : -1, baseSequence: isIdempotent ? sequence : -1), epoch: epoch)
      if isIdempotent { sequence += Int32(count) }
    }
    try leader.log.writePending()
    return (leader, try everything(leader))
  }

  private func everything(_ fixture: LogFixture) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var next = fixture.log.logStartOffset
    while next < fixture.log.logEndOffset {
      let slice = try fixture.log.read(
        from: next, maxBytes: 1 << 20, upTo: fixture.log.logEndOffset, minOneBatch: true)
      bytes += try fixture.bytes(slice)
      guard let end = slice.nextOffset, end > next else { break }
      next = end
    }
    return bytes
  }

  @discardableResult
  private func copy(_ bytes: [UInt8], to log: Log, epoch: Int32 = 100) throws(LogError) -> Bool {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return try log.appendFetched(
      UnsafeRawBufferPointer(rebasing: memory[..<bytes.count]), leaderEpoch: LeaderEpoch(epoch),
      now: Timestamp(milliseconds: 1_700_000_000_000))
  }

  private func fault(_ bytes: [UInt8], _ log: Log, epoch: Int32 = 100) -> LogError? {
    do throws(LogError) {
      try copy(bytes, to: log, epoch: epoch)
      return nil
    } catch { return error }
  }

  private func isCorrupt(_ error: LogError?) -> Bool {
    if case .corrupt = error { return true }
    return false
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func aCopyIsTheLogByteForByte(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let (leader, bytes) = try leader(seed)
    let follower = try LogFixture(LogConfig(segmentBytes: 700, indexIntervalBytes: 200))
    var position = 0
    var length = 100
    while position < bytes.count {
      // An answer ends anywhere, also within a batch: the part is fetched again.
      let piece = Array(bytes[position..<min(bytes.count, position + length)])
      let whole = splitBatches(piece).reduce(0) { $0 + $1.bytes.count }
      #expect(try copy(piece, to: follower.log) == (whole > 0))
      position += whole
      length = whole == 0 ? length * 2 : Int.random(in: 60...900, using: &random)
    }
    #expect(try everything(follower) == bytes)
    #expect(follower.log.logEndOffset == leader.log.logEndOffset && !follower.log.hasPending)
    #expect(follower.log.leaderEpochs == leader.log.leaderEpochs)
    #expect(follower.log.latestEpoch == leader.log.latestEpoch)
    #expect(follower.log.producers.activeProducers == leader.log.producers.activeProducers)
    #expect(follower.log.segmentCount > 1)
    try follower.reopen(.unclean)
    #expect(try everything(follower) == bytes)
    #expect(follower.log.leaderEpochs == leader.log.leaderEpochs)
  }

  @Test func whatDoesNotFitChangesNothing() throws {
    let (_, bytes) = try leader(3)
    let batches = splitBatches(bytes).map(\.bytes)
    let follower = try LogFixture()
    try copy(batches[0] + batches[1], to: follower.log)
    let end = follower.log.logEndOffset
    let terms = follower.log.leaderEpochs
    var flipped = batches[3]
    flipped[70] ^= 1
    // Also where good batches come before it.
    #expect(isCorrupt(fault(batches[2] + flipped, follower.log)))
    #expect(isCorrupt(fault(batches[1], follower.log)), "what is there already")
    #expect(isCorrupt(fault(batches[2] + batches[2], follower.log)))
    var old = batches[2]
    old[16] = 1
    #expect(isCorrupt(fault(old, follower.log)))
    var negative = batches[2]
    negative.replaceSubrange(8..<12, with: [0xff, 0xff, 0xff, 0x00])
    #expect(isCorrupt(fault(negative, follower.log)))
    var far = batches[2]
    far.replaceSubrange(0..<8, with: [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    #expect(isCorrupt(fault(far, follower.log)))
    #expect(isCorrupt(fault(batches[2], follower.log, epoch: -1)), "a term beyond the leader's")
    #expect(follower.log.logEndOffset == end && follower.log.leaderEpochs == terms)
    #expect(try copy([], to: follower.log) == false)
    #expect(try copy(Array(batches[2].prefix(60)), to: follower.log) == false)
    #expect(fault(batches[2], follower.log) == nil)
  }

  @Test func termsDoNotGoBack() throws {
    let leader = try LogFixture()
    try leader.append(makeBatch(1), epoch: 5)
    try leader.append(makeBatch(1), epoch: 5)
    try leader.log.writePending()
    var batches = splitBatches(try everything(leader)).map(\.bytes)
    batches[1][15] = 4
    let follower = try LogFixture()
    #expect(isCorrupt(fault(batches[0] + batches[1], follower.log)))
    #expect(follower.log.logEndOffset == .zero)
  }

  @Test func gapsOfACompactionAreTaken() throws {
    let (leader, bytes) = try leader(9)
    let batches = splitBatches(bytes)
    let kept = batches.enumerated().filter { $0.offset % 3 != 1 }.flatMap(\.element.bytes)
    let follower = try LogFixture(LogConfig(segmentBytes: 700))
    try copy(kept, to: follower.log)
    #expect(try everything(follower) == kept)
    #expect(follower.log.logEndOffset == leader.log.logEndOffset)
  }

  @Test func aGapWiderThanASegmentReachesBeginsAnother() throws {
    let leader = try LogFixture()
    try leader.append(makeBatch(1))
    try leader.log.writePending()
    var far = try everything(leader)
    far.replaceSubrange(0..<8, with: [0, 0, 0, 1, 0, 0, 0, 7])
    let follower = try LogFixture()
    try copy(far, to: follower.log)
    #expect(follower.log.logEndOffset == Offset((1 << 32) + 8))
    #expect(try everything(follower) == far)
    let after = try LogFixture()
    try copy(try everything(leader) + far, to: after.log)
    #expect(after.log.logEndOffset == Offset((1 << 32) + 8))
    try after.reopen(.unclean)
    #expect(after.log.logEndOffset == Offset((1 << 32) + 8))
  }

  @Test func anEmptyLogMayBeginWithinABatch() throws {
    let leader = try LogFixture()
    try leader.append(makeBatch(4))
    try leader.append(makeBatch(2))
    try leader.log.writePending()
    let bytes = try everything(leader)
    let follower = try LogFixture()
    try follower.log.restart(at: Offset(2), now: follower.now)
    try copy(bytes, to: follower.log)
    #expect(follower.log.logStartOffset == Offset(2) && follower.log.logEndOffset == Offset(6))
    #expect(try follower.read(2) == bytes)
    // One that holds a record does not.
    let other = try LogFixture()
    try copy(Array(bytes.prefix(splitBatches(bytes)[0].bytes.count)), to: other.log)
    #expect(isCorrupt(fault(bytes, other.log)))
  }

  /// Every call of the disk fails once: what the log then says it has, it has.
  @Test(arguments: [5, 28] as [Int32])
  func aFailureLeavesWholeBatches(errno: Int32) throws {
    let (_, bytes) = try leader(4)
    let batches = splitBatches(bytes)
    for call in 1..<60 {
      let disk = SimulatedDisk(folders: ["data"])
      let follower = try LogFixture(LogConfig(segmentBytes: 700, indexIntervalBytes: 100), fileSystem: disk)
      disk.fail(call: call, errno: errno, effect: .half)
      let failure = fault(bytes, follower.log)
      disk.heal()
      let end = follower.log.logEndOffset
      #expect(end == follower.log.writtenEndOffset)
      #expect(end == .zero || batches.contains { $0.header.nextOffset == end })
      let expected = batches.filter { $0.header.nextOffset <= end }.flatMap(\.bytes)
      #expect(try everything(follower) == expected, "call \(call)")
      guard failure != nil, !follower.log.isFenced else { continue }
      follower.log.resume()
      let rest = batches.filter { $0.header.nextOffset > end }.flatMap(\.bytes)
      try copy(rest, to: follower.log)
      #expect(try everything(follower) == bytes, "call \(call)")
    }
  }
}
