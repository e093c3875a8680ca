import Cluster
import Effects
import KafkaProtocol
import Primitives
import Simulation
import Testing

@testable import Coordination

private let directory = "/data/cluster-metadata"
private let logPath = directory + "/metadata.log"
private let snapshotPath = directory + "/metadata.snapshot"

private func start(
  _ disk: SimulatedDisk, threshold: Int64 = 1 << 20
) throws(StartError) -> LocalCoordination {
  try LocalCoordination(fileSystem: disk, directory: directory, snapshotThresholdBytes: threshold)
}

/// The records of all commits among `events`, replayed.
private func image(of events: [CoordinationEvent]) -> ClusterImage {
  var image = ClusterImage()
  for case .committed(let committed) in events {
    #expect(committed.firstOffset == image.nextOffset || image.offset == Offset(-1))
    committed.replay(into: &image)
  }
  return image
}

private func config(_ name: String, _ value: String?) -> MetadataRecord {
  .config(ConfigRecord(resourceType: 4, resourceName: "1", name: name, value: value))
}

private let cluster = MetadataRecord.cluster(ClusterRecord(clusterId: "an-id"))

@Suite struct LocalCoordinationTests {
  @Test func anEmptyFolderIsLoadedAndElected() throws {
    let service = try start(SimulatedDisk(folders: ["/data"]))
    #expect(service.poll() == [.elected(controllerEpoch: 1), .loaded])
    #expect(service.poll().isEmpty)
    #expect(service.recovery.recordCount == 0)
  }

  @Test func anAppendIsCommittedBeforeItIsAnswered() throws {
    let service = try start(SimulatedDisk(folders: ["/data"]))
    _ = service.poll()
    service.append([cluster, config("a", "1")], token: RequestToken(7))
    #expect(
      service.poll() == [
        .committed(CommittedRecords(firstOffset: Offset(0), records: [cluster, config("a", "1")])),
        .appended(RequestToken(7), lastOffset: Offset(1)),
      ])
    service.append([], token: RequestToken(8))
    #expect(service.poll() == [.appended(RequestToken(8), lastOffset: Offset(1))])
  }

  @Test func everythingAppendedIsThereAfterAPowerCut() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    service.append([cluster], token: RequestToken(1))
    service.append([config("a", "1"), config("b", "2")], token: RequestToken(2))
    let again = try start(disk.afterPowerCut(data: .lost, names: .lost))
    let events = again.poll()
    #expect(image(of: events).configs(for: .broker(BrokerID(1))) == ["a": "1", "b": "2"])
    #expect(events.suffix(2) == [.elected(controllerEpoch: 1), .loaded])
    #expect(image(of: events).offset == Offset(2))
    #expect(again.recovery.truncatedByteCount == 0)
  }

  /// The log cut at every byte: always a prefix of whole appends, and appending goes on from there.
  @Test func aTornTailIsCutOff() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    var ends = [0]
    for number in 0..<4 {
      service.append([config("k\(number)", "v"), config("j\(number)", "w")], token: RequestToken(1))
      ends.append(disk.contents(logPath)?.count ?? 0)
    }
    let whole = try #require(disk.contents(logPath))
    for length in 0...whole.count {
      let torn = disk.copy()
      torn.setContents(logPath, Array(whole.prefix(length)))
      let again = try start(torn)
      let intact = ends.last { $0 <= length } ?? 0
      let frames = ends.firstIndex(of: intact) ?? 0
      #expect(again.recovery.truncatedByteCount == length - intact)
      #expect(image(of: again.poll()).offset == Offset(Int64(frames * 2 - 1)))
      again.append([cluster], token: RequestToken(2))
      #expect(image(of: try start(torn).poll()).clusterID == "an-id")
    }
  }

  /// Any bit flipped in what lies before the last append: the broker refuses to start, rather than lose what follows.
  @Test func damageInTheMiddleIsRefused() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    for number in 0..<3 { service.append([config("k\(number)", "v")], token: RequestToken(1)) }
    let beforeLast = try #require(disk.contents(logPath)).count
    service.append([config("last", "v")], token: RequestToken(1))
    let whole = try #require(disk.contents(logPath))
    for position in 0..<beforeLast {
      var damaged = whole
      damaged[position] ^= 1 << UInt8(position % 8)
      let copy = disk.copy()
      copy.setContents(logPath, damaged)
      #expect(throws: StartError.self, "byte \(position)") { try start(copy) }
    }
  }

  @Test func aMissingFrameIsRefused() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    service.append([config("a", "1")], token: RequestToken(1))
    let first = try #require(disk.contents(logPath)).count
    service.append([config("b", "1")], token: RequestToken(1))
    let whole = try #require(disk.contents(logPath))
    disk.setContents(logPath, Array(whole.dropFirst(first)))
    #expect(throws: StartError.self) { try start(disk) }
  }

  @Test func aFailedWriteIsUndoneAndTheNextGoesWell() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    service.append([cluster], token: RequestToken(1))
    _ = service.poll()
    let intact = disk.contents(logPath)
    disk.fail(call: 1, errno: 28, effect: .first(11), calls: [.write])
    service.append([config("a", "1")], token: RequestToken(2))
    let events = service.poll()
    guard case .appendFailed(RequestToken(2), let error) = events.first else {
      Issue.record("expected a failure, got \(events)")
      return
    }
    #expect(error.code == .kafkaStorageError)
    #expect(events.count == 1)
    #expect(disk.contents(logPath) == intact)
    service.append([config("b", "2")], token: RequestToken(3))
    let found = image(of: try start(disk.afterPowerCut(data: .lost, names: .lost)).poll())
    #expect(found.configs(for: .broker(BrokerID(1))) == ["b": "2"])
    #expect(found.offset == Offset(1))
  }

  /// What a failed write left cannot be cut off: nobody knows what is there.
  @Test func aFailedWriteThatStaysEndsTheService() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    _ = service.poll()
    disk.fail(call: 1, errno: 28, effect: .first(11), calls: [.write])
    disk.fail(call: 1, isLasting: true, calls: [.truncate])
    service.append([cluster], token: RequestToken(1))
    #expect(service.poll().last == .resigned)
    #expect(image(of: try start(disk.copy()).poll()).offset == Offset(-1))
  }

  @Test func aFailedSyncEndsTheService() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    _ = service.poll()
    disk.fail(call: 1, isLasting: true, calls: [.sync])
    service.append([cluster], token: RequestToken(1))
    disk.heal()
    let syncs = disk.count(of: .sync)
    service.append([cluster], token: RequestToken(2))
    let failures = service.poll().map { event in
      if case .appendFailed(let token, _) = event { return "failed \(token.value)" }
      return event == .resigned ? "resigned" : "other"
    }
    #expect(failures == ["failed 1", "resigned", "failed 2"])
    #expect(disk.count(of: .sync) == syncs)
  }

  @Test func aSnapshotTakesTheLogsPlace() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk, threshold: 400)
    var largest = 0
    for number in 0..<200 {
      service.append([config("k\(number % 3)", "\(number)")], token: RequestToken(1))
      largest = max(largest, disk.contents(logPath)?.count ?? 0)
    }
    #expect(largest < 600)
    let again = try start(disk.afterPowerCut(data: .lost, names: .lost), threshold: 400)
    let found = image(of: again.poll())
    #expect(found.offset == Offset(199))
    #expect(found.configs(for: .broker(BrokerID(1))) == ["k0": "198", "k1": "199", "k2": "197"])
    #expect(again.recovery.snapshotOffset != nil)
    #expect(again.recovery.recordCount < 20)
  }

  /// A crash after the snapshot and before the log was emptied: the log's frames are passed over.
  @Test func framesThatTheSnapshotHoldsArePassedOver() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk, threshold: 200)
    disk.fail(call: 1, isLasting: true, calls: [.truncate], pathPart: logPath)
    for _ in 0..<10 { service.append([config("a", "1")], token: RequestToken(1)) }
    #expect(disk.contents(snapshotPath) != nil)
    #expect(service.snapshotFailure?.operation == "truncate")
    service.append([config("b", "2")], token: RequestToken(2))
    disk.heal()
    let offset = image(of: service.poll()).offset
    let found = image(of: try start(disk.afterPowerCut(data: .lost, names: .lost)).poll())
    #expect(found.offset == offset)
    #expect(found.configs(for: .broker(BrokerID(1))) == ["a": "1", "b": "2"])
  }

  @Test func aSnapshotThatCannotBeWrittenIsPutOff() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk, threshold: 200)
    disk.fail(call: 1, errno: 28, isLasting: true, calls: [.rename])
    for _ in 0..<20 { service.append([config("a", "1")], token: RequestToken(1)) }
    #expect(service.snapshotFailure?.errno == 28)
    disk.heal()
    for _ in 0..<20 { service.append([config("a", "2")], token: RequestToken(1)) }
    #expect(service.snapshotFailure == nil)
    #expect(image(of: try start(disk.afterPowerCut(data: .lost, names: .lost)).poll()).offset == Offset(39))
  }

  @Test func aDamagedSnapshotIsRefused() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk, threshold: 10)
    service.append([cluster, config("a", "1")], token: RequestToken(1))
    let whole = try #require(disk.contents(snapshotPath))
    for position in whole.indices {
      var damaged = whole
      damaged[position] ^= 0x10
      let copy = disk.copy()
      copy.setContents(snapshotPath, damaged)
      #expect(throws: StartError.self) { try start(copy) }
    }
  }

  /// Whatever is in the file, the start ends in an answer.
  @Test func randomBytesNeverTrap() throws {
    var seed: UInt64 = 42
    func random() -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return seed >> 33
    }
    let disk = SimulatedDisk(folders: ["/data"])
    let service = try start(disk)
    for number in 0..<5 { service.append([config("k\(number)", "v"), cluster], token: RequestToken(1)) }
    let whole = try #require(disk.contents(logPath))
    for _ in 0..<400 {
      var bytes = whole
      for _ in 0..<(1 + random() % 6) { bytes[Int(random()) % bytes.count] = UInt8(truncatingIfNeeded: random()) }
      let copy = disk.copy()
      copy.setContents(logPath, bytes)
      _ = try? start(copy)
    }
  }
}
