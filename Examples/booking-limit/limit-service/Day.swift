/// A day of the calendar, in a zone that has the same distance from UTC all the year.
///
/// ```swift
/// let day = Day(ofMs: 1_764_374_400_000, offset: UTCOffset("+07:00")!)
/// print(day)  // 2025-11-29
/// ```
struct Day: Hashable, Sendable, CustomStringConvertible {
  static let milliseconds: Int64 = 86_400_000

  /// Days since 1970-01-01.
  let number: Int64

  init(number: Int64) { self.number = number }

  /// The day in which a moment lies: it begins at midnight, which belongs to it.
  init(ofMs ms: Int64, offset: UTCOffset) {
    let local = ms &+ Int64(offset.minutes) * 60_000
    number = local >= 0 ? local / Self.milliseconds : (local &+ 1) / Self.milliseconds - 1
  }

  /// Year, month and day, as 2026-11-29.
  var description: String {
    // Years are taken to begin in March, so that the leap day is their last; 400 of them are 146,097 days.
    let sinceMarch0 = number + 719_468
    let cycle = (sinceMarch0 >= 0 ? sinceMarch0 : sinceMarch0 - 146_096) / 146_097
    let dayOfCycle = sinceMarch0 - cycle * 146_097
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    return "\(year)-\(Self.two(month))-\(Self.two(day))"
  }

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// How far local time is from UTC, in whole minutes: `+07:00`, `-03:30`, `+00:00`.
struct UTCOffset: Hashable, Sendable, CustomStringConvertible {
  let minutes: Int

  /// Nil for what is not written so, or is farther from UTC than any place is.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let sign = Self.signs[bytes[0]] else { return nil }
    let digits = [bytes[1], bytes[2], bytes[4], bytes[5]].map { Int($0) - Int(UInt8(ascii: "0")) }
    guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
    let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
    guard minutes < 60, hours * 60 + minutes <= 14 * 60 else { return nil }
    self.minutes = sign * (hours * 60 + minutes)
    description = text
  }

  let description: String
  private static let signs: [UInt8: Int] = [UInt8(ascii: "+"): 1, UInt8(ascii: "-"): -1]
}
