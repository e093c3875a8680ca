internal import Configuration
internal import Records

extension AppendRules {
  /// The rules that a topic's configuration sets for what its producers send.
  init(_ config: TopicConfig, decompressedBytesMax: Int) {
    let target: Records.CompressionType?
    let level: Int32?
    switch config.compressionType {
    case .producer: (target, level) = (nil as Records.CompressionType?, nil as Int32?)
    case .uncompressed: (target, level) = (Records.CompressionType.none, nil)
    case .gzip: (target, level) = (.gzip, config.compressionGzipLevel)
    case .snappy: (target, level) = (.snappy, nil)
    case .lz4: (target, level) = (.lz4, config.compressionLz4Level)
    case .zstd: (target, level) = (.zstd, config.compressionZstdLevel)
    }
    self.init(
      maxMessageBytes: config.maxMessageBytes, isCompacted: config.cleanupPolicy.contains(.compact),
      timestampType: config.messageTimestampType == .logAppendTime ? .logAppend : .create,
      beforeMaxMs: config.messageTimestampBeforeMaxMs, afterMaxMs: config.messageTimestampAfterMaxMs,
      targetCompression: target, level: level, decompressedBytesMax: decompressedBytesMax, produceVersion: 12)
  }
}
