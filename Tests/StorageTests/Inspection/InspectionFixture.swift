import Effects
import Primitives
import Records
import Simulation

@testable import Storage

/// A data folder in memory with one partition, `data/orders-0`, closed in order: ten batches of two records a segment or so.
struct InspectionFixture {
  let disk = SimulatedDisk()
  let directory = LogFixture.directory
  let batches: [(header: RecordBatchHeader, bytes: [UInt8])]

  init(batches count: Int = 30, segmentBytes: Int = 1200) throws {
    let config = LogConfig(segmentBytes: segmentBytes, indexIntervalBytes: 150)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 0..<count {
      try fixture.append(makeBatch(2, timestamp: 1000 + Int64(number)), epoch: Int32(number / 10))
    }
    try fixture.log.flush()
    var batches: [(header: RecordBatchHeader, bytes: [UInt8])] = []
    try fixture.log.scan(from: .zero, upTo: fixture.log.logEndOffset) { batches.append(($0, Array($1))) }
    self.batches = batches
    try fixture.log.close()
    disk.setContents("data/meta.properties", Array("version=1\ncluster.id=c\nnode.id=1\n".utf8))
  }

  /// Segments, oldest first.
  var logs: [String] { disk.names(in: directory).filter { $0.hasSuffix(".log") }.map { directory + "/" + $0 } }

  func change(_ path: String, _ body: (inout [UInt8]) -> Void) {
    var bytes = disk.contents(path) ?? []
    body(&bytes)
    disk.setContents(path, bytes)
  }

  func inspect(
    _ path: String = "data", _ kind: DataFolderInspection.Kind = .dataFolder
  ) -> (findings: [InspectionFinding], counts: InspectionCounts) {
    var findings: [InspectionFinding] = []
    let counts = DataFolderInspection(path, fileSystem: disk, report: { findings.append($0) }).run(kind)
    return (findings, counts)
  }

  /// What is found, notes left out.
  func problems() -> [InspectionFinding] { inspect().findings.filter { $0.severity != .note } }
}
