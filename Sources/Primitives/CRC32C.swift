internal import CChecksum

/// CRC-32C (Castagnoli), the checksum of record batches.
package enum CRC32C {
  /// The checksum of `bytes`, continuing from `seed`: the checksum of what came before, or 0.
  @inline(__always)
  package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing seed: UInt32 = 0) -> UInt32 {
    ottla_crc32c(seed, bytes.baseAddress, bytes.count)
  }

  /// The same by the portable routine, for machines without the instructions and for tests that compare the two.
  package static func portableChecksum(_ bytes: UnsafeRawBufferPointer, continuing seed: UInt32 = 0) -> UInt32 {
    ottla_crc32c_portable(seed, bytes.baseAddress, bytes.count)
  }
}
