internal import CCompression
package import Primitives

/// Compresses the records of batches in the formats that Kafka's own clients write.
///
/// One owner at a time, one for each shard; the context of a codec is made at its first use.
package final class Compressor {
  private var gzip: OpaquePointer?
  private var lz4: OpaquePointer?
  private var zstd: OpaquePointer?

  package init() {}

  deinit {
    ottla_encoder_free(gzip)
    ottla_encoder_free(lz4)
    ottla_encoder_free(zstd)
  }

  /// Appends to `output` what `input` compresses to. `level` is held within the codec's range; nil for its default.
  package func compress(
    _ input: UnsafeRawBufferPointer, _ type: CompressionType, level: Int32? = nil, into output: OutputBuffer
  ) {
    precondition(input.count <= Int(Int32.max), "a batch of \(input.count) bytes is too long for its header")
    switch type {
    case .none: output.append(input)
    case .snappy: SnappyFraming.encode(input, into: output)
    case .gzip:
      gzip = gzip ?? ottla_gzip_encoder_new()
      run(gzip, type, level, input, into: output)
    case .lz4:
      lz4 = lz4 ?? ottla_lz4_encoder_new()
      run(lz4, type, level, input, into: output)
    case .zstd:
      zstd = zstd ?? ottla_zstd_encoder_new()
      run(zstd, type, level, input, into: output)
    }
  }

  private func run(
    _ encoder: OpaquePointer?, _ type: CompressionType, _ level: Int32?, _ input: UnsafeRawBufferPointer,
    into output: OutputBuffer
  ) {
    guard let encoder else { preconditionFailure("no memory for the \(type) compressor") }
    let level = type.heldLevel(level)
    let room = ottla_encoder_bound(encoder, input.count, level)
    output.reserve(room)
    let written = ottla_encoder_run(encoder, level, input.baseAddress, input.count, output.base + output.end, room)
    precondition(written > 0, "\(type) could not compress \(input.count) bytes at level \(level) in \(room)")
    output.end += written
  }
}

extension CompressionType {
  /// The levels that the codec takes: `compression.<codec>.level` of Kafka (KIP-390).
  package var levels: ClosedRange<Int32> {
    switch self {
    case .none, .snappy: 0...0
    case .gzip: 1...9
    case .lz4: 1...17
    case .zstd: -131_072...22
    }
  }

  /// The level to compress at: within the range, the default for nil. -1 is gzip's own default, as in Kafka.
  fileprivate func heldLevel(_ level: Int32?) -> Int32 {
    guard let level else { return self == .zstd ? 3 : self == .gzip ? -1 : 0 }
    if self == .gzip, level == -1 { return level }
    return min(max(level, levels.lowerBound), levels.upperBound)
  }
}
