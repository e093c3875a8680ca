import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

/// Every operation of a log with its n-th call of the disk failing, for n = 1, 2, 3... until none fails: what was flushed
/// stays, what is readable is what was appended, and the log opens again, the process killed or the power gone.
@Suite struct LogFaultTests {
  /// Something a log is asked to do, and what has to have happened before.
  struct Operation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let prepare: @Sendable (SimulatedLog) throws -> Void
    let run: @Sendable (SimulatedLog) throws -> Void

    init(
      _ name: String, after prepare: @escaping @Sendable (SimulatedLog) throws -> Void = LogFaultTests.fill,
      _ run: @escaping @Sendable (SimulatedLog) throws -> Void
    ) {
      testDescription = name
      self.prepare = prepare
      self.run = run
    }
  }

  /// A name can need a block of the folder. Retention is what makes room: it must not end with the room.
  @Test func retentionNeedsNoRoomForNames() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let log = SimulatedLog(LogConfig(segmentBytes: 600, retentionMs: 1000, fileDeleteDelayMs: 30_000), disk: disk)
    try Self.fill(log)
    try log.flush()
    disk.fail(call: 1, errno: 28, isLasting: true, calls: [.rename])
    log.now = Timestamp(milliseconds: log.now.milliseconds + 100_000)
    let open = try log.opened
    let before = disk.usedBytes
    #expect(try open.applyRetention(now: log.now, highWatermark: open.writtenEndOffset) > 1)
    #expect(!open.isFenced && disk.usedBytes < before)
    #expect(open.logStartOffset == open.logEndOffset)
    _ = open.removeDeleted(now: Timestamp(milliseconds: .max))
    #expect(open.deletedSegmentCount == 0)
  }

  /// The next segment's file was made, cannot be looked at and cannot be removed. With appends in the segment before, which
  /// its name contradicts, the next start would not believe them.
  @Test func aSegmentFileThatStaysEndsTheAppends() throws {
    let disk = SimulatedDisk(folders: ["data"])
    let log = SimulatedLog(LogConfig(segmentBytes: 600), disk: disk)
    try log.open()
    let large = log.batch(1, valueByteCount: 400)
    try log.append(large, recordCount: 1)
    try log.flush()
    disk.fail(call: 1, calls: [.size], pathPart: "0001.log")
    disk.fail(call: 1, calls: [.removeFile], pathPart: "0001.log")
    #expect(throws: LogError.self) { try log.append(log.batch(1, valueByteCount: 400), recordCount: 1) }
    #expect(disk.failedCalls.count == 2)
    #expect(try log.opened.isFenced)
    // What there is is there after the next start, whoever looks.
    disk.heal()
    log.kill()
    try log.openAndCheck(clean: false)
    #expect(try log.opened.logEndOffset == Offset(1))
  }

  /// Some segments, of which the last were not flushed, and a batch that waits for its write.
  private static func fill(_ log: SimulatedLog) throws {
    try log.open()
    for number in 0..<16 {
      log.now = Timestamp(milliseconds: log.now.milliseconds + 1000)
      try log.append(
        log.batch(2, producer: Int64(number % 3)), epoch: Int32(number / 4), producer: Int64(number % 3), recordCount: 2
      )
      if number == 10 {
        try log.flush()
        try log.checkpointRecoveryPoint()
      }
    }
    try log.writePending()
    try log.append(epoch: 5)
  }

  private static func nothing(_ log: SimulatedLog) {}

  private static func filledAndClosed(_ log: SimulatedLog) throws {
    try fill(log)
    try log.close()
    try log.disk.syncAll(holding: "data")
  }

  private static func filledAndKilled(_ log: SimulatedLog) throws {
    try fill(log)
    log.kill()
  }

  private static func withRecordsDeleted(_ log: SimulatedLog) throws {
    try fill(log)
    try log.deleteRecords(before: 20)
  }

  static let operations: [Operation] = [
    Operation("open what is new", after: nothing) { try $0.open() },
    Operation("open after a stop in order", after: filledAndClosed) { try $0.openAndCheck(clean: true) },
    Operation("open after a kill", after: filledAndKilled) { try $0.openAndCheck() },
    Operation("append and write") {
      try $0.append(records: 3, epoch: 6)
      try $0.writePending()
    },
    Operation("append a large batch") { try $0.append($0.batch(1, valueByteCount: 9000), epoch: 6, recordCount: 1) },
    Operation("roll") { log in for _ in 0..<5 { try log.append(records: 3, valueByteCount: 100, epoch: 6) } },
    Operation("flush") { try $0.flush() },
    Operation("cut the last segment") { try $0.truncate(to: $0.history.end - 2) },
    Operation("cut segments") { try $0.truncate(to: 9) },
    Operation("cut all", after: withRecordsDeleted) { try $0.truncate(to: 3) },
    Operation("delete records") { try $0.deleteRecords(before: 25) },
    Operation("delete by age") {
      $0.now = Timestamp(milliseconds: $0.now.milliseconds + 2_000_000)
      try $0.applyRetention(upTo: $0.opened.writtenEndOffset.value)
    },
    Operation("remove what was deleted", after: withRecordsDeleted) {
      _ = try $0.opened.removeDeleted(now: Timestamp(milliseconds: .max))
    },
    Operation("close") { try $0.close() },
    Operation("checkpoint") {
      try $0.checkpointRecoveryPoint()
      try $0.checkpointLogStart()
    },
    Operation("read cold") { log in
      let open = try log.opened
      for offset: Int64 in [0, 11, 25] {
        let slice = try open.read(from: Offset(offset), maxBytes: 300, upTo: open.writtenEndOffset, minOneBatch: true)
        let damage = try open.coldRead(of: slice, bytesMax: 1 << 20)?.run()
        try check(damage == nil, "damage where there is none: \(String(describing: damage))")
      }
    },
  ]

  struct Kind: CustomTestStringConvertible, Sendable {
    let errno: Int32
    let effect: DiskFault.Effect
    let isLasting: Bool
    var testDescription: String { "errno \(errno), \(effect)\(isLasting ? ", from there on" : "")" }
  }

  static let kinds = [
    Kind(errno: 5, effect: .half, isLasting: false), Kind(errno: 5, effect: .dropsDirtyPages, isLasting: true),
    Kind(errno: 28, effect: .half, isLasting: false),
  ]

  @Test(arguments: operations, kinds) func everyCallMayFail(operation: Operation, kind: Kind) throws {
    var isThrough = false
    var number = 1
    while !isThrough, number < 500 {
      do { isThrough = try run(operation, kind, number) } catch {
        Issue.record("\(operation.testDescription), call \(number): \(error)")
        return
      }
      number += 1
    }
    #expect(isThrough)
  }

  /// Whether the operation is over before the call with this number.
  private func run(_ operation: Operation, _ kind: Kind, _ number: Int) throws -> Bool {
    let config = LogConfig(
      segmentBytes: operation.testDescription.contains("large") ? 20_000 : 500, indexIntervalBytes: 100,
      retentionMs: 1_000_000)
    // Nothing is in memory: reads of older batches ask the disk.
    let log = SimulatedLog(config, disk: SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: false))
    try operation.prepare(log)
    log.disk.fail(call: number, errno: kind.errno, effect: kind.effect, isLasting: kind.isLasting)
    var failure: (any Error)?
    do { try operation.run(log) } catch let violation as Violation { throw violation } catch { failure = error }
    let wasHit = !log.disk.failedCalls.isEmpty
    log.disk.heal()
    try checkLive(log)
    for (data, names) in [(UnsyncedFate.lost, UnsyncedFate.lost), (.mixed, .mixed), (.mixed, .kept)] {
      let later = log.copy(on: log.disk.afterPowerCut(data: data, names: names, seed: UInt64(number)))
      try reopen(later, "after a power cut (\(data), \(names)), \(failure.map { "\($0)" } ?? "no error")")
    }
    log.kill()
    try reopen(log, "after a kill, \(failure.map { "\($0)" } ?? "no error")")
    return !wasHit
  }

  /// A log that goes on takes appends; a fenced one takes nothing more; both can be read.
  private func checkLive(_ log: SimulatedLog) throws {
    guard let open = try? log.opened else { return }
    if open.isFenced {
      #expect(throws: LogError.fenced) { try log.append(epoch: 9) }
      #expect(throws: LogError.fenced) { try log.flush() }
      #expect(throws: LogError.fenced) { try open.truncate(to: .zero, now: log.now) }
    } else {
      open.resume()
      try log.append(epoch: 9)
      try log.writePending()
    }
    guard !open.hasPending, open.writtenEndOffset == open.logEndOffset, open.logStartOffset < open.logEndOffset else {
      return
    }
    try open.scan(from: open.logStartOffset, upTo: open.logEndOffset) { _, _ in }
  }

  private func reopen(_ log: SimulatedLog, _ how: String) throws {
    do {
      try log.openAndCheck()
      try log.append(records: 2, epoch: 10)
      try log.flush()
    } catch { throw Violation(description: "\(how): \(error)") }
  }
}
