import Effects
import Primitives
import Simulation

@testable import Storage

/// One random life of a log: appends, cuts, deletions, kills, power cuts, failing calls, a full disk. All of it from a seed.
final class LogCrashWalk {
  private let seed: UInt64
  private var random: SeededGenerator
  private let log: SimulatedLog
  private var epoch: Int32 = 0
  /// What was done, for whoever has to find out.
  private(set) var steps: [String] = []

  /// A young log begins with nothing flushed and nothing noted; a copy takes what another log has; and starts may bring
  /// everything to the disk first.
  init(seed: UInt64, isYoung: Bool = false, isCopy: Bool = false, startsSynced: Bool = false) throws {
    self.seed = seed
    random = SeededGenerator(seed)
    let config = LogConfig(
      segmentBytes: .random(in: 500...6000, using: &random), segmentMs: 600_000,
      indexIntervalBytes: .random(in: 0...600, using: &random), retentionMs: 1_200_000,
      retentionBytes: Int.random(in: 0..<4, using: &random) == 0 ? 8000 : -1, fileDeleteDelayMs: 30_000)
    let disk = SimulatedDisk(folders: ["data"], pageByteCount: Bool.random(using: &random) ? 512 : 4096)
    log = SimulatedLog(config, disk: disk)
    log.isCopy = isCopy
    log.startsSynced = startsSynced
    if seed % 4 == 1 { disk.writeBackEagerly(seed: seed) }
    try log.open()
    guard !isYoung else { return }
    try log.append()
    try log.flush()
    try log.checkpointRecoveryPoint()
  }

  func run(_ count: Int) throws {
    for _ in 0..<count {
      log.now = Timestamp(milliseconds: log.now.milliseconds + .random(in: 0...20_000, using: &random))
      do { try step() } catch let violation as Violation { throw violation } catch { try recover(from: error) }
    }
    steps.append("the end")
    try crash()
  }

  private func step() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<50: try append()
    case 50..<58: try doing("write") { try log.writePending() }
    case 58..<66: try doing("flush") { try log.flush() }
    case 66..<70: try doing("checkpoint") { try log.checkpointRecoveryPoint() }
    case 70..<73: try deleteRecords()
    case 73..<76: try retain()
    case 76..<79: try truncate()
    case 79..<82: doing("write back") { log.disk.writeBack(seed: random.next()) }
    case 82..<84: beginTerm()
    case 84..<90: fault()
    case 90..<92: fillUp()
    case 92..<95: try stopInOrder()
    default: try crash()
    }
  }

  private func doing<Result>(_ what: String, _ body: () throws -> Result) rethrows -> Result {
    steps.append(what)
    return try body()
  }

  // MARK: what may happen

  private func append() throws {
    let count = Int.random(in: 1...4, using: &random)
    let kind = Int.random(in: 0..<20, using: &random)
    let size = kind == 0 ? 0 : Int.random(in: 0...(kind < 3 ? log.config.segmentBytes / 5 : 60), using: &random)
    let producer = Bool.random(using: &random) ? Int64.random(in: 1...4, using: &random) : nil
    let time = log.now.milliseconds + .random(in: -100_000...100_000, using: &random)
    let batch = log.batch(count, valueByteCount: size, timestamp: time, producer: producer)
    guard batch.count <= log.config.segmentBytes else { return }
    steps.append("append of \(batch.count) bytes at \(log.history.end), producer \(producer ?? -1)")
    try log.append(batch, epoch: epoch, producer: producer, recordCount: count)
  }

  private func beginTerm() {
    epoch += 1
    steps.append("term \(epoch)")
    if Bool.random(using: &random) { (try? log.opened)?.beginLeaderEpoch(LeaderEpoch(epoch)) }
  }

  private func deleteRecords() throws {
    let open = try log.opened
    let offset = Int64.random(in: open.logStartOffset.value...open.writtenEndOffset.value, using: &random)
    try doing("delete before \(offset)") { try log.deleteRecords(before: offset) }
  }

  private func retain() throws {
    let open = try log.opened
    let limit = Bool.random(using: &random) ? open.writtenEndOffset : open.recoveryPoint
    log.now = Timestamp(milliseconds: log.now.milliseconds + .random(in: 0...600_000, using: &random))
    try doing("retention up to \(limit.value)") { try log.applyRetention(upTo: limit.value) }
    try doing("remove deleted") { _ = try log.opened.removeDeleted(now: log.now) }
  }

  private func truncate() throws {
    let open = try log.opened
    let isFar = Int.random(in: 0..<6, using: &random) == 0
    let first = isFar ? 1 : max(1, open.logStartOffset.value)
    guard first < open.logEndOffset.value else { return }
    let offset = Int64.random(in: first...open.logEndOffset.value, using: &random)
    epoch += 1
    if log.isCopy, isFar { return try doing("restart at \(offset * 2)") { try log.restart(at: offset * 2) } }
    try doing("truncate to \(offset)") { try log.truncate(to: offset) }
  }

  private func fault() {
    let number = Int.random(in: 1...30, using: &random)
    let errno: Int32 = Int.random(in: 0..<3, using: &random) == 0 ? 28 : 5
    let effect = [DiskFault.Effect.none, .half, .dropsDirtyPages].randomElement(using: &random) ?? .none
    let isLasting = Int.random(in: 0..<4, using: &random) == 0
    steps.append("call \(number) from here fails with \(errno) \(effect)\(isLasting ? ", all behind it too" : "")")
    log.disk.fail(call: number, errno: errno, effect: effect, isLasting: isLasting)
  }

  private func fillUp() {
    let room = Int64.random(in: 0...3000, using: &random)
    steps.append("\(room) bytes of room are left")
    log.disk.capacity = log.disk.usedBytes + room
  }

  // MARK: stopping

  private func stopInOrder() throws {
    try doing("close") { try log.close() }
    if Bool.random(using: &random) {
      try doing("sync and power cut") { try log.disk.syncAll(holding: "data") }
      log.cutPower(data: .lost, names: .lost)
    }
    try reopen(clean: true)
  }

  /// Something failed. A log that goes on goes on; any other is opened anew.
  private func recover(from error: any Error) throws {
    steps.append("failed: \(error)")
    if error is LogError, let open = try? log.opened, !open.isFenced {
      guard open.stalled != nil else { return }
      makeRoom()
      if Bool.random(using: &random) { log.disk.heal() }
      return open.resume()
    }
    try crash()
  }

  private func makeRoom() { log.disk.capacity = nil }

  private func crash() throws {
    if Int.random(in: 0..<3, using: &random) == 0 {
      steps.append("kill")
      log.kill()
    } else {
      let data = UnsyncedFate.allCases.randomElement(using: &random) ?? .lost
      let names = UnsyncedFate.allCases.randomElement(using: &random) ?? .lost
      steps.append("power cut, data \(data), names \(names)")
      log.cutPower(data: data, names: names, seed: random.next())
    }
    try reopen(clean: false)
  }

  private func reopen(clean: Bool) throws {
    // A start may fail too; the next one is on a disk that does not.
    if Bool.random(using: &random) { log.disk.heal() }
    do {
      try doing("open") { try log.openAndCheck(clean: clean) }
      return
    } catch let violation as Violation {
      throw violation
    } catch { steps.append("failed: \(error)") }
    log.disk.heal()
    makeRoom()
    log.kill()
    try doing("open again") { try log.openAndCheck(clean: false) }
  }
}
