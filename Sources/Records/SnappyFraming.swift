internal import CCompression
import Primitives

/// Snappy as Kafka's clients send it: one raw block, or Java's framing of many (snappy-java's `SnappyOutputStream`:
/// magic 0x82 "SNAPPY" 0, version, lowest compatible version, then blocks each behind their length).
enum SnappyFraming {
  private static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]
  /// Magic, version and lowest compatible version. Some producers write the versions in the wrong order of bytes, so
  /// that nobody looks at them.
  private static let headerByteCount = 16
  /// Bytes that snappy-java puts in one block before it compresses them.
  private static let blockByteCount = 32 << 10
  /// A block cannot hold more than this many times its own bytes: its best element makes 64 out of 3.
  private static let expansionMax = 22

  /// Appends what `input` decodes to. Every round consumes input, and no block makes room before its claim is believable.
  static func decode(
    _ input: UnsafeRawBufferPointer, into output: OutputBuffer, byteCountMax: Int
  ) throws(RecordError) {
    let start = output.end
    guard isFramed(input) else {
      return try decodeBlock(input, into: output, start: start, byteCountMax: byteCountMax)
    }
    var rest = UnsafeRawBufferPointer(rebasing: input[headerByteCount...])
    while !rest.isEmpty {
      // Streams may follow one another, each with its header.
      if isFramed(rest) {
        rest = UnsafeRawBufferPointer(rebasing: rest[headerByteCount...])
        continue
      }
      guard rest.count > 4, let base = rest.baseAddress else { throw .undecodable(.snappy) }
      let length = Int(base.bigEndian(Int32.self, at: 0))
      guard length > 0, length <= rest.count - 4 else { throw .undecodable(.snappy) }
      let block = UnsafeRawBufferPointer(rebasing: rest[4..<(4 + length)])
      try decodeBlock(block, into: output, start: start, byteCountMax: byteCountMax)
      rest = UnsafeRawBufferPointer(rebasing: rest[(4 + length)...])
    }
  }

  private static func isFramed(_ input: UnsafeRawBufferPointer) -> Bool {
    input.count >= headerByteCount && input.prefix(magic.count).elementsEqual(magic)
  }

  private static func decodeBlock(
    _ block: UnsafeRawBufferPointer, into output: OutputBuffer, start: Int, byteCountMax: Int
  ) throws(RecordError) {
    let claimed = Int(ottla_snappy_decoded_length(block.baseAddress, block.count))
    guard claimed >= 0, claimed / expansionMax <= block.count else { throw .undecodable(.snappy) }
    guard claimed <= byteCountMax - (output.end - start) else { throw .tooLarge(byteCountMax: byteCountMax) }
    output.reserve(claimed)
    guard ottla_snappy_decode(block.baseAddress, block.count, output.base + output.end, claimed) == 1 else {
      throw .undecodable(.snappy)
    }
    output.end += claimed
  }

  /// Appends `input` in Java's framing, block by block.
  static func encode(_ input: UnsafeRawBufferPointer, into output: OutputBuffer) {
    output.append(magic)
    output.append([0, 0, 0, 1, 0, 0, 0, 1])
    var position = 0
    while position < input.count {
      let end = min(position + blockByteCount, input.count)
      let block = UnsafeRawBufferPointer(rebasing: input[position..<end])
      let room = ottla_snappy_bound(block.count)
      output.reserve(4 + room)
      let length = output.base + output.end
      let written = ottla_snappy_encode(block.baseAddress, block.count, length + 4, room)
      precondition(written > 0, "snappy could not encode a block of \(block.count) bytes")
      length.storeBigEndian(Int32(written), at: 0)
      output.end += 4 + written
      position = end
    }
  }
}
