package import Configuration

/// What one cleaning may take of the machine.
package struct CleaningLimits: Hashable, Sendable {
  /// Bytes for the keys of one cleaning: its share of `log.cleaner.dedupe.buffer.size`.
  package let mapByteCountMax: Int
  /// How full that memory may be, above 0 and below 1.
  package let mapLoadFactor: Double

  package init(mapByteCountMax: Int, mapLoadFactor: Double = 0.9) {
    precondition(
      mapByteCountMax >= 0 && mapLoadFactor > 0 && mapLoadFactor < 1,
      "a map of \(mapByteCountMax) bytes, \(mapLoadFactor) of them in use")
    self.mapByteCountMax = mapByteCountMax
    self.mapLoadFactor = mapLoadFactor
  }
}

extension CleaningLimits {
  /// What a broker's configuration leaves for each of its cleaner's threads.
  package init(_ config: BrokerConfig) {
    self.init(
      mapByteCountMax: Int(config.logCleanerDedupeBufferSize) / max(1, Int(config.logCleanerThreads)),
      mapLoadFactor: config.logCleanerIoBufferLoadFactor)
  }
}
