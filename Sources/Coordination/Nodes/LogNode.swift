internal import Cluster
internal import Primitives

/// What makes every log node another one, however equal the records: who wrote it, and which of its writings it was.
struct WriterToken: Hashable {
  /// Of the writer's process.
  let incarnation: UUID
  let number: UInt64
}

/// A node of the metadata log: a token, which part of a change it is, and the part's records.
///
/// Layout, big-endian: version (u8, 1), incarnation (16 bytes), number (u64), part (u32), parts (u32), a `MetadataFrame`.
struct LogNode: Equatable {
  static let version: UInt8 = 1
  private static let headerByteCount = 33

  let token: WriterToken
  /// From 0.
  let part: UInt32
  /// Of the whole change.
  let partCount: UInt32
  let frame: MetadataFrame

  var isLast: Bool { part &+ 1 == partCount }

  /// nil when the records are too long for any frame.
  var bytes: [UInt8]? {
    guard let frame = frame.encoded() else { return nil }
    var header = [UInt8](repeating: 0, count: Self.headerByteCount)
    header.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      base.storeBigEndian(Self.version, at: 0)
      base.storeBigEndian(token.incarnation.high, at: 1)
      base.storeBigEndian(token.incarnation.low, at: 9)
      base.storeBigEndian(token.number, at: 17)
      base.storeBigEndian(part, at: 25)
      base.storeBigEndian(partCount, at: 29)
    }
    return header + frame
  }

  /// The token in front of a node's bytes; nil when they are of nothing we write.
  static func token(of bytes: [UInt8]) -> WriterToken? {
    bytes.withUnsafeBytes { buffer in
      guard buffer.count > headerByteCount, let base = buffer.baseAddress, buffer[0] == version else { return nil }
      return WriterToken(
        incarnation: UUID(high: base.bigEndian(UInt64.self, at: 1), low: base.bigEndian(UInt64.self, at: 9)),
        number: base.bigEndian(UInt64.self, at: 17))
    }
  }
}

extension LogNode {
  /// nil when the bytes are damaged, or hold a record that this release does not know.
  init?(_ bytes: [UInt8]) {
    guard let token = Self.token(of: bytes) else { return nil }
    let parsed = bytes.withUnsafeBytes { buffer -> (part: UInt32, partCount: UInt32, frame: MetadataFrame)? in
      guard let base = buffer.baseAddress else { return nil }
      let rest = UnsafeRawBufferPointer(rebasing: buffer[Self.headerByteCount...])
      guard MetadataFrame.intactByteCount(rest) == rest.count, let frame = MetadataFrame(intact: rest) else {
        return nil
      }
      return (base.bigEndian(UInt32.self, at: 25), base.bigEndian(UInt32.self, at: 29), frame)
    }
    guard let parsed, parsed.part < parsed.partCount else { return nil }
    self.init(token: token, part: parsed.part, partCount: parsed.partCount, frame: parsed.frame)
  }

  /// A change as nodes of at most about `nodeBytesMax` bytes each; nil when one record alone is longer than that.
  static func split(
    _ records: [MetadataRecord], firstOffset: Offset, token: WriterToken, nodeBytesMax: Int
  ) -> [LogNode]? {
    guard let frames = MetadataFrame.split(records, firstOffset: firstOffset, bytesMax: nodeBytesMax) else {
      return nil
    }
    let count = UInt32(clamping: frames.count)
    return frames.enumerated().map { index, frame in
      LogNode(token: token, part: UInt32(clamping: index), partCount: count, frame: frame)
    }
  }
}

extension MetadataFrame {
  /// Records as frames of at most about `bytesMax` bytes each, their offsets without gaps; nil when one record alone is
  /// longer than that.
  static func split(_ records: [MetadataRecord], firstOffset: Offset, bytesMax: Int) -> [MetadataFrame]? {
    var frames: [MetadataFrame] = []
    var run: [MetadataRecord] = []
    var runByteCount = 0
    var offset = firstOffset
    func finishRun() {
      guard !run.isEmpty else { return }
      frames.append(MetadataFrame(firstOffset: offset, records: run))
      offset = offset.advanced(by: Int64(run.count))
      run = []
      runByteCount = 0
    }
    for record in records {
      let byteCount = record.encode().count + 4
      guard byteCount <= bytesMax else { return nil }
      if runByteCount + byteCount > bytesMax { finishRun() }
      run.append(record)
      runByteCount += byteCount
    }
    finishRun()
    return frames
  }
}
