import Client
import Primitives
import Records
import Storage

/// What is shown of a batch: its header, in whatever format.
struct BatchFields {
  private let batch: StoredBatch
  private let firstOffset: Int64

  /// - Parameter firstOffset: where only the records tell it.
  init(_ batch: StoredBatch, firstOffset: Int64?) {
    self.batch = batch
    switch batch.format {
    case .current(let header): self.firstOffset = header.baseOffset.value
    case .old: self.firstOffset = firstOffset ?? batch.lastOffset
    }
  }

  private var codec: String {
    batch.attributes.compression.map { "\($0)" } ?? "codec \(batch.attributes.rawValue & 7)"
  }

  var text: String {
    var line = "\(firstOffset)..\(batch.lastOffset) at position \(batch.position), \(batch.bytes.count) bytes, "
    switch batch.format {
    case .old(let message):
      line += "format \(message.magic), \(codec)"
      if message.magic == 1 { line += ", " + PointInTime.text(shownTime(message.timestamp)) }
    case .current(let header):
      line += "\(header.recordCount) records, \(codec), epoch \(header.partitionLeaderEpoch.value), "
      line += PointInTime.text(shownTime(header.maxTimestamp))
      if header.producerID != .none {
        line += ", producer \(header.producerID.value)/\(header.producerEpoch.value) from \(header.baseSequence)"
      }
      if header.attributes.isTransactional { line += ", transactional" }
      if header.attributes.isControl { line += ", control" }
    }
    return line
  }

  var members: [(String, JSON)] {
    let common: [(String, JSON)] = [
      ("format", .integer(Int32(batch.magic))), ("baseOffset", .integer(firstOffset)),
      ("lastOffset", .integer(batch.lastOffset)), ("compression", .string(codec)),
      ("maxTimestamp", .integer(batch.maxTimestamp)), ("logAppendTime", .bool(batch.attributes.isLogAppendTime)),
    ]
    guard case .current(let header) = batch.format else { return common }
    return common + [
      ("records", .integer(header.recordCount)), ("leaderEpoch", .integer(header.partitionLeaderEpoch.value)),
      ("baseTimestamp", .integer(header.baseTimestamp.milliseconds)), ("producerId", .integer(header.producerID.value)),
      ("producerEpoch", .integer(Int32(header.producerEpoch.value))), ("baseSequence", .integer(header.baseSequence)),
      ("transactional", .bool(header.attributes.isTransactional)), ("control", .bool(header.attributes.isControl)),
      ("checksum", .integer(Int64(header.checksum))),
    ]
  }
}

/// A time from a file, kept inside of what a calendar has room for.
func shownTime(_ timestamp: Timestamp) -> Int64 {
  min(max(timestamp.milliseconds, -62_135_596_800_000), 253_402_300_799_999)
}
