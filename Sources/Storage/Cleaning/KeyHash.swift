/// 128 bits that stand for a key. Two keys with the same bits count as the same.
struct KeyHash: Hashable {
  let high: UInt64
  let low: UInt64
}

/// SipHash-2-4 with 128 bits, under a secret of two random numbers: whoever chooses keys cannot make two of them collide
/// without knowing it, and by chance it does not happen.
struct KeyHasher: Sendable {
  private let start: (UInt64, UInt64)

  init(_ first: UInt64, _ second: UInt64) { start = (first, second) }

  func hash(_ key: UnsafeRawBufferPointer) -> KeyHash {
    var state = SipState(start.0, start.1)
    let wholeByteCount = key.count & ~7
    var position = 0
    while position < wholeByteCount {
      state.absorb(UInt64(littleEndian: key.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
      position &+= 8
    }
    var last = UInt64(truncatingIfNeeded: key.count) &<< 56
    while position < key.count {
      last |= UInt64(key[position]) &<< UInt64((position & 7) &* 8)
      position &+= 1
    }
    state.absorb(last)
    return state.finish()
  }
}

/// The four words that SipHash mixes.
private struct SipState {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  @inline(__always)
  init(_ first: UInt64, _ second: UInt64) {
    a = first ^ 0x736f_6d65_7073_6575
    b = second ^ 0x646f_7261_6e64_6f6d ^ 0xee
    c = first ^ 0x6c79_6765_6e65_7261
    d = second ^ 0x7465_6462_7974_6573
  }

  @inline(__always)
  mutating func absorb(_ word: UInt64) {
    d ^= word
    mix()
    mix()
    a ^= word
  }

  @inline(__always)
  mutating func finish() -> KeyHash {
    c ^= 0xee
    for _ in 0..<4 { mix() }
    let low = a ^ b ^ c ^ d
    b ^= 0xdd
    for _ in 0..<4 { mix() }
    return KeyHash(high: a ^ b ^ c ^ d, low: low)
  }

  @inline(__always)
  private mutating func mix() {
    a = a &+ b
    c = c &+ d
    b = Self.rotate(b, 13) ^ a
    d = Self.rotate(d, 16) ^ c
    a = Self.rotate(a, 32)
    c = c &+ b
    a = a &+ d
    b = Self.rotate(b, 17) ^ c
    d = Self.rotate(d, 21) ^ a
    c = Self.rotate(c, 32)
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    (value &<< count) | (value &>> (64 &- count))
  }
}
