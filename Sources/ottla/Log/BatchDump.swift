import Client
import Effects
import Primitives
import Records
import Storage

/// Writes batches, and their records where asked to; damage as such, and what stands behind it.
final class BatchDump {
  private let showsRecords: Bool
  private let isJSON: Bool
  private let offset: Int64
  private let countMax: Int64
  private let output = StandardOutput()
  private let decompressor = Decompressor()
  private(set) var damageCount = 0

  init(showsRecords: Bool, isJSON: Bool, offset: Int64, countMax: Int64) {
    self.showsRecords = showsRecords
    self.isJSON = isJSON
    self.offset = offset
    self.countMax = countMax
  }

  /// Shows the batches of one partition.
  func show(_ segments: [(path: String, baseOffset: Int64)], _ fileSystem: any FileSystem) throws {
    var count: Int64 = 0
    for (number, segment) in segments.enumerated() where count < countMax && !output.hasFailed {
      let next = number + 1 < segments.count ? segments[number + 1].baseOffset : nil
      // A segment that ends before the wanted offset is not even opened.
      if let next, next <= offset { continue }
      if !isJSON { output.line(segment.path) }
      var walk = SegmentWalk(
        try FileWindow(segment.path, fileSystem: fileSystem), base: segment.baseOffset, limit: next)
      while count < countMax, !output.hasFailed, let element = try walk.next() {
        switch element {
        case .damage(let damage): show(damage, in: segment.path)
        case .batch(let batch) where batch.lastOffset >= offset:
          show(batch, in: segment.path)
          count += 1
        case .batch: break
        }
        output.flushIfFull()
      }
    }
    output.flush()
  }

  private func show(_ damage: DamagedBytes, in path: String) {
    damageCount += 1
    guard isJSON else {
      return output.line(
        "  DAMAGE at position \(damage.position), \(damage.end - damage.position) bytes: \(damage.reason)")
    }
    JSON.object([
      ("file", .string(path)), ("position", .integer(damage.position)),
      ("bytes", .integer(damage.end - damage.position)), ("damage", .string(damage.reason)),
    ]).write(into: output.buffer)
    output.line("")
  }

  private func show(_ batch: StoredBatch, in path: String) {
    let (records, problem) = records(of: batch)
    if problem != nil { damageCount += 1 }
    if isJSON {
      var members: [(String, JSON)] = [
        ("file", .string(path)), ("position", .integer(batch.position)), ("bytes", .integer(batch.bytes.count)),
      ]
      members += BatchFields(batch, firstOffset: records.first?.offset).members
      if let problem { members.append(("damage", .string("\(problem)"))) }
      if showsRecords { members.append(("content", .array(records.map(\.json)))) }
      JSON.object(members).write(into: output.buffer)
      output.line("")
    } else {
      output.line("  " + BatchFields(batch, firstOffset: records.first?.offset).text)
      if showsRecords { for record in records { output.line("    " + record.text) } }
      if let problem { output.line("  DAMAGE in the batch at position \(batch.position): \(problem)") }
    }
  }

  /// The records that are shown; of a batch in an old format, whose first offset stands in its records, all.
  private func records(of batch: StoredBatch) -> (records: [DumpedRecord], problem: RecordError?) {
    if case .current = batch.format, !showsRecords { return ([], nil) }
    var records: [DumpedRecord] = []
    do throws(RecordError) {
      try batch.forEachRecord(decompressor) { record, memory throws(RecordError) in
        records.append(try DumpedRecord(record, of: batch, in: memory))
      }
    } catch { return (records, error) }
    return (records, nil)
  }
}
