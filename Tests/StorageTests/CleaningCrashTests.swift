import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

/// A stop at any point of a cleaning leaves a log of which nothing that counts is gone, and nothing is back.
@Suite struct CleaningCrashTests {
  /// What is on the disk before the cleaning that is stopped, and what the log may show after it.
  struct Scene {
    let disk: SimulatedDisk
    let config: LogConfig
    var model: CleaningModelTests.Model
    let bound: Int64
    var now: Timestamp
    let firstDirtyOffset: Offset

    /// A log that was cleaned once and has grown since. Tombstones of the first round are due in the second.
    init(_ seed: UInt64) throws {
      var random = SeededGenerator(seed)
      let fixture = try LogFixture.compacted { $0.segmentBytes = 500 }
      var model = CleaningModelTests.Model()
      for round in 0..<2 {
        for _ in 0..<10 {
          try CleaningModelTests.appendRandomBatch(fixture, &model, &random, keyCount: 6)
        }
        try fixture.log.roll(now: fixture.now)
        try fixture.append(makeBatch([KeyedRecord("last", "\(round)", timestamp: fixture.now.milliseconds)]))
        model.appended.append(
          KeyedRecord(
            "last", "\(round)", timestamp: fixture.now.milliseconds, offset: fixture.log.logEndOffset.value - 1))
        try fixture.log.flush()
        guard round == 0 else { break }
        try fixture.clean()
        model.checkCleaned(
          try fixture.records(), upTo: fixture.log.firstDirtyOffset.value, now: fixture.now.milliseconds,
          retentionMs: fixture.config.deleteRetentionMs)
        fixture.now = Timestamp(milliseconds: fixture.now.milliseconds + 6000)
      }
      try fixture.log.flush()
      guard let disk = fixture.fileSystem as? SimulatedDisk else { preconditionFailure("another disk") }
      self.disk = disk.copy()
      self.model = model
      config = fixture.config
      bound = fixture.log.active.baseOffset.value
      now = fixture.now
      firstDirtyOffset = fixture.log.firstDirtyOffset
    }

    func open(_ fileSystem: any FileSystem) throws -> LogFixture {
      let fixture = try LogFixture(config, fileSystem: fileSystem, recovery: .unclean)
      fixture.now = now
      return fixture
    }

    /// Opens an image of the disk, twice, and cleans what it finds.
    func check(_ image: SimulatedDisk, _ comment: String) throws {
      let untouched = image.copy()
      let fixture = try open(image)
      let shown = try fixture.records()
      // All of it was on the disk before: as a start would have it that trusts files and indexes below that point.
      let trusting = try LogFixture(
        config, fileSystem: untouched, recovery: .unclean(recoveryPoint: Offset(bound)))
      #expect(try trusting.records() == shown, "\(comment)")
      let headers = try trusting.batches().map(\.header)
      for offset in stride(from: 0, to: Int64(model.appended.count), by: 5) {
        let read = splitBatches(try trusting.read(offset)).first?.header
        #expect(mayBegin(read, at: offset, of: headers), "\(comment)")
      }
      model.check(shown, bound: bound, now: now.milliseconds)
      let left = image.names(in: fixture.directory).filter { $0.hasSuffix(".swap") || $0.hasSuffix(".cleaned") }
      #expect(left == [], "\(comment)")
      #expect(fixture.log.logEndOffset.value == model.appended.count, "\(comment)")
      #expect(fixture.log.recovered.damagedBatches == 0 && fixture.log.recovered.removedSegments == 0, "\(comment)")
      #expect(
        fixture.events.events.allSatisfy { if case .missingOffsets = $0 { false } else { true } }, "\(comment)")
      try fixture.open(.unclean)
      #expect(try fixture.records() == shown, "\(comment)")
      guard case .swapping? = try fixture.clean() else { return }
      var model = model
      let cleaned = try fixture.records()
      model.checkCleaned(cleaned, upTo: bound, now: now.milliseconds, retentionMs: config.deleteRetentionMs)
      model.check(cleaned, bound: bound, now: now.milliseconds)
    }
  }

  /// Cleans the log on a disk that stops after `count` calls; false when there were no more calls than that. With `isAgain`
  /// it is stopped in a second cleaning, before anything was flushed after the first.
  private func clean(
    _ scene: inout Scene, on disk: StoppingDisk, isAgain: Bool, stoppingAfter count: Int
  ) throws -> Bool {
    let fixture = try scene.open(disk)
    try fixture.log.flush()
    fixture.log.firstDirtyOffset = scene.firstDirtyOffset
    if isAgain {
      try fixture.clean()
      scene.model.checkCleaned(
        try fixture.records(), upTo: scene.bound, now: scene.now.milliseconds,
        retentionMs: scene.config.deleteRetentionMs)
      scene.now = Timestamp(milliseconds: scene.now.milliseconds + 6000)
      fixture.now = scene.now
      fixture.log.firstDirtyOffset = .zero
    }
    disk.stop(after: count)
    _ = try? fixture.clean()
    return disk.hasStopped
  }

  @Test(arguments: 0..<2, [false, true]) func leavesTheOldLogOrTheNewOne(seed: UInt64, isAgain: Bool) throws {
    let start = try Scene(seed)
    var random = SeededGenerator(seed &+ 50)
    var count = 0
    while true {
      var scene = start
      let disk = try StoppingDisk(scene.disk.copy())
      guard try clean(&scene, on: disk, isAgain: isAgain, stoppingAfter: count) else { break }
      try scene.check(disk.memory.copy(), "stopped after \(count) calls")
      for _ in 0..<2 {
        let image = disk.afterPowerCut(&random)
        try scene.check(image.copy(), "power cut after \(count) calls")
        // The start after it is cut off, too.
        let again = try StoppingDisk(image)
        again.stop(after: Int.random(in: 0..<40, using: &random))
        _ = try? scene.open(again)
        try scene.check(again.afterPowerCut(&random), "power cut after \(count) calls, and once more")
      }
      count += 1
    }
    #expect(count > 20, "a cleaning of \(count) calls")
  }
}
