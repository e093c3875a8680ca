/// Points in time as people write them.
package enum PointInTime {
  /// Reads milliseconds since 1970, or ISO 8601: `2026-11-20`, `2026-11-20T12:30`, `2026-11-20T12:30:15.250`, with `Z`,
  /// `+07:00` or nothing (UTC) behind. nil for anything else.
  package static func milliseconds(_ text: String) -> Int64? {
    if let number = Int64(text) { return number >= 0 ? number : nil }
    let bytes = Array(text.utf8)
    var reader = DigitReader(bytes)
    guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2), reader.skip("-"),
      let day = reader.number(digits: 2), (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year)
    else { return nil }
    var milliseconds = daysSince1970(year, month, day) * 86_400_000
    if reader.isAtEnd { return milliseconds }
    guard reader.skip("T") || reader.skip(" "), let time = timeOfDay(&reader), let zone = zoneOffset(&reader) else {
      return nil
    }
    milliseconds += time - zone
    return reader.isAtEnd && milliseconds >= 0 ? milliseconds : nil
  }

  private static func timeOfDay(_ reader: inout DigitReader) -> Int64? {
    guard let hour = reader.number(digits: 2), hour < 24, reader.skip(":"), let minute = reader.number(digits: 2),
      minute < 60
    else { return nil }
    var milliseconds = (hour * 60 + minute) * 60_000
    guard reader.skip(":") else { return milliseconds }
    guard let second = reader.number(digits: 2), second < 60 else { return nil }
    milliseconds += second * 1000
    guard reader.skip(".") else { return milliseconds }
    guard let fraction = reader.number(digits: 3) else { return nil }
    return milliseconds + fraction
  }

  private static func zoneOffset(_ reader: inout DigitReader) -> Int64? {
    if reader.isAtEnd || reader.skip("Z") { return 0 }
    let sign: Int64
    if reader.skip("+") { sign = 1 } else if reader.skip("-") { sign = -1 } else { return nil }
    guard let hours = reader.number(digits: 2), hours < 24 else { return nil }
    _ = reader.skip(":")
    if reader.isAtEnd { return sign * hours * 3_600_000 }
    guard let minutes = reader.number(digits: 2), minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes) * 60_000
  }

  /// The proleptic Gregorian calendar, counted from March so that the leap day comes last.
  private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// `milliseconds` since 1970 as ISO 8601 in UTC.
  package static func text(_ milliseconds: Int64) -> String {
    let day = milliseconds.quotientFloor(86_400_000)
    let rest = milliseconds - day * 86_400_000
    let (year, month, dayOfMonth) = date(day)
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = "\(number)"
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let time = "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))"
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(time).\(padded(rest % 1000, 3))Z"
  }

  private static func date(_ daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSince1970 + 719_468
    let era = shifted.quotientFloor(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }
}

extension Int64 {
  /// Divided by a positive number, rounded down.
  fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
    self >= 0 ? self / divisor : (self + 1) / divisor - 1
  }
}

/// Takes digits and marks off the front of a text.
private struct DigitReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number(digits count: Int) -> Int64? {
    guard rest.count >= count else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(count) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    rest = rest.dropFirst(count)
    return value
  }

  mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard let byte = rest.first, byte == UInt8(ascii: mark) else { return false }
    rest = rest.dropFirst()
    return true
  }
}
