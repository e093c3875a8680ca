/// A 16-byte identifier: topic ids, directory ids, the cluster's id. Kafka writes them in 22 characters of URL-safe base64.
package struct UUID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64
  @inlinable package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// All zero: "no id" on the wire.
  package static let zero = UUID(high: 0, low: 0)
  @inlinable package var isZero: Bool { high == 0 && low == 0 }

  package static func < (left: UUID, right: UUID) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  /// A random (version 4) id of the given 128 random bits. Never one whose text starts with '-', which tools take for a flag.
  package init(random bits: () -> UInt64) {
    var candidate = UUID.zero
    repeat {
      candidate = UUID(
        high: (bits() & 0xffff_ffff_ffff_0fff) | 0x4000,
        low: (bits() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000)
    } while candidate.description.utf8.first == UInt8(ascii: "-")
    self = candidate
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  package var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(22)
    // 128 bits in groups of six from the top; the last group has two bits, padded with zeros below.
    for group in 0..<22 {
      let shift = 122 - 6 * group
      text.append(Self.alphabet[Int(bits(shiftedRightBy: shift) & 63)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func bits(shiftedRightBy shift: Int) -> UInt64 {
    if shift < 0 { return low << UInt64(-shift) }
    if shift >= 64 { return high >> UInt64(shift - 64) }
    if shift == 0 { return low }
    return (low >> UInt64(shift)) | (high << UInt64(64 - shift))
  }

  /// Reads the 22 characters that `description` writes; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let characters = Array(text.utf8)
    guard characters.count == 22 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (position, character) in characters.enumerated() {
      guard let digit = Self.alphabet.firstIndex(of: character) else { return nil }
      let width: UInt64 = position == 21 ? 2 : 6
      let value = position == 21 ? UInt64(digit) >> 4 : UInt64(digit)
      if position == 21, digit & 15 != 0 { return nil }
      high = (high << width) | (low >> (64 - width))
      low = (low << width) | value
    }
    self.init(high: high, low: low)
  }
}
