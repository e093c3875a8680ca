internal import CCompression
package import Primitives

/// Decompresses the records of batches, with a context for each codec that is made once and used again.
///
/// One owner at a time, one for each shard. However much a payload would decompress to, memory grows no further than the
/// limit of the call asks for: a bomb is stopped where it passes the limit.
package final class Decompressor {
  /// A context that holds more than this after a call is given back: one batch with a huge window must not stay.
  private static let heldBytesMax = 16 << 20
  /// Scratch memory beyond this is given back after use.
  private static let scratchBytesMax = 4 << 20

  private var gzip: OpaquePointer?
  private var lz4: OpaquePointer?
  private var zstd: OpaquePointer?
  private var scratch: OutputBuffer?

  package init() {}

  deinit {
    ottla_decoder_free(gzip)
    ottla_decoder_free(lz4)
    ottla_decoder_free(zstd)
  }

  /// Appends to `output` what `input` decompresses to: at most `byteCountMax` bytes, else `.tooLarge`. After an error
  /// `output` may hold a part of it.
  package func decompress(
    _ input: UnsafeRawBufferPointer, _ type: CompressionType, into output: OutputBuffer, byteCountMax: Int
  ) throws(RecordError) {
    guard let start = input.baseAddress, !input.isEmpty else {
      if type == .none { return }
      throw .undecodable(type)
    }
    switch type {
    case .none:
      guard input.count <= byteCountMax else { throw .tooLarge(byteCountMax: byteCountMax) }
      output.append(input)
    case .snappy:
      try SnappyFraming.decode(input, into: output, byteCountMax: byteCountMax)
    case .gzip, .lz4, .zstd:
      let decoder = try decoder(of: type)
      ottla_decoder_begin(decoder, start, input.count)
      defer { giveBackIfHuge(type, decoder) }
      try run(decoder, type, inputByteCount: input.count, into: output, byteCountMax: byteCountMax)
    }
  }

  /// Lends scratch memory that is cleared and kept for the next time; a nested call gets memory of its own.
  package func withScratch<Result, Failure: Error>(
    _ body: (OutputBuffer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let lent = scratch ?? OutputBuffer(capacity: 64 << 10)
    scratch = nil
    lent.removeAll()
    defer { if lent.capacity <= Self.scratchBytesMax { scratch = lent } }
    return try body(lent)
  }

  private func run(
    _ decoder: OpaquePointer, _ type: CompressionType, inputByteCount: Int, into output: OutputBuffer,
    byteCountMax: Int
  ) throws(RecordError) {
    // One byte more than the limit, so that a payload of just the limit is told from a longer one.
    var room = byteCountMax < .max ? max(byteCountMax, 0) + 1 : .max
    var piece = min(max(inputByteCount, 4 << 10), 256 << 10) &* 4
    while true {
      output.reserve(min(room, piece))
      var written = 0
      let free = min(output.capacity &- output.end, room)
      let step = Int(ottla_decoder_step(decoder, output.base + output.end, free, &written))
      output.end &+= written
      room &-= written
      guard room > 0 else { throw .tooLarge(byteCountMax: byteCountMax) }
      switch step {
      case OTTLA_STEP_DONE: return
      case OTTLA_STEP_MORE: piece = min(piece &* 2, 1 << 20)
      case OTTLA_STEP_NO_MEMORY: throw .outOfMemory
      default: throw .undecodable(type)
      }
    }
  }

  private func decoder(of type: CompressionType) throws(RecordError) -> OpaquePointer {
    let made: OpaquePointer?
    switch type {
    case .gzip:
      gzip = gzip ?? ottla_gzip_decoder_new()
      made = gzip
    case .lz4:
      lz4 = lz4 ?? ottla_lz4_decoder_new()
      made = lz4
    case .zstd:
      zstd = zstd ?? ottla_zstd_decoder_new()
      made = zstd
    case .none, .snappy:
      made = nil
    }
    guard let made else { throw .outOfMemory }
    return made
  }

  private func giveBackIfHuge(_ type: CompressionType, _ decoder: OpaquePointer) {
    guard type == .zstd, ottla_decoder_held(decoder) > Self.heldBytesMax else { return }
    ottla_decoder_free(decoder)
    zstd = nil
  }
}
