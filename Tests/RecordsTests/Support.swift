import Primitives
import Records

/// Numbers that look random and are the same in every run.
struct Noise {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var noise = Noise(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: noise.next() >> 32) }
  }
}

func compress(
  _ bytes: [UInt8], _ codec: CompressionType, level: Int32? = nil, _ compressor: Compressor = Compressor()
) -> [UInt8] {
  let output = OutputBuffer()
  bytes.withUnsafeBytes { compressor.compress($0, codec, level: level, into: output) }
  return Array(output.bytes)
}

func decompress(
  _ bytes: [UInt8], _ codec: CompressionType, byteCountMax: Int, _ decompressor: Decompressor = Decompressor()
) throws(RecordError) -> [UInt8] {
  let output = OutputBuffer()
  let failure = bytes.withUnsafeBytes { input -> RecordError? in
    do throws(RecordError) {
      try decompressor.decompress(input, codec, into: output, byteCountMax: byteCountMax)
      return nil
    } catch { return error }
  }
  if let failure { throw failure }
  return Array(output.bytes)
}

/// The time at which the batches of the tests arrive.
let arrival = Timestamp(milliseconds: 1_700_000_001_000)

/// Validates as a shard does, by the rules of a topic left at its defaults.
func validate(
  _ batch: [UInt8], rules: AppendRules = AppendRules(produceVersion: 9), _ validator: BatchValidator = BatchValidator()
) throws(BatchRejection) -> ValidatedBatch {
  let result = batch.withUnsafeBytes { bytes -> Result<ValidatedBatch, BatchRejection> in
    Result { () throws(BatchRejection) in try validator.validate(bytes, rules: rules, now: arrival) }
  }
  return try result.get()
}

/// The code a batch is rejected with; nil where it is accepted.
func rejection(of batch: [UInt8], rules: AppendRules = AppendRules(produceVersion: 9)) -> BatchRejection? {
  do throws(BatchRejection) {
    _ = try validate(batch, rules: rules)
    return nil
  } catch { return error }
}

extension [UInt8] {
  /// The bytes of hexadecimal digits; anything else between them is passed over.
  init(hexadecimal text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    self = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
