/// Reads the text of a `server.properties` file by the rules of Java's `Properties.load`.
struct PropertiesFile {
  /// One `name=value` of the file, and the number of the line where it begins, counted from 1.
  struct Entry: Equatable {
    let name: String
    let value: String
    let line: Int
  }

  /// A `\u` that no four hexadecimal digits follow.
  struct BadEscape: Error {
    let line: Int
  }

  /// The entries in the order of the file; a name may come more than once.
  static func entries(_ contents: String) throws(BadEscape) -> [Entry] {
    var lines = LogicalLines(contents)
    var found: [Entry] = []
    while let line = lines.next() {
      found.append(try entry(line))
    }
    return found
  }

  /// Splits a logical line at the first `=`, `:` or white space that is not escaped.
  private static func entry(_ line: LogicalLine) throws(BadEscape) -> Entry {
    let units = line.units
    var nameEnd = 0
    while nameEnd < units.count, !isSeparator(units[nameEnd]), !isSpace(units[nameEnd]) {
      nameEnd += units[nameEnd] == backslash ? 2 : 1
    }
    nameEnd = min(nameEnd, units.count)
    var valueStart = nameEnd
    var separated = false
    while valueStart < units.count {
      if isSeparator(units[valueStart]), !separated {
        separated = true
      } else if !isSpace(units[valueStart]) {
        break
      }
      valueStart += 1
    }
    return Entry(
      name: try unescaped(units[..<nameEnd], line: line.number),
      value: try unescaped(units[valueStart...], line: line.number), line: line.number)
  }

  private static func unescaped(_ units: ArraySlice<UInt16>, line: Int) throws(BadEscape) -> String {
    var plain: [UInt16] = []
    plain.reserveCapacity(units.count)
    var rest = units
    while let unit = rest.popFirst() {
      guard unit == backslash else {
        plain.append(unit)
        continue
      }
      guard let escaped = rest.popFirst() else { break }
      switch escaped {
      case 0x74: plain.append(0x09)  // \t
      case 0x6E: plain.append(0x0A)  // \n
      case 0x72: plain.append(0x0D)  // \r
      case 0x66: plain.append(0x0C)  // \f
      case 0x75:  // \uXXXX
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy(isHexDigit),
          let unit = UInt16(String(decoding: digits, as: UTF16.self), radix: 16)
        else { throw BadEscape(line: line) }
        plain.append(unit)
        rest = rest.dropFirst(4)
      default: plain.append(escaped)
      }
    }
    return String(decoding: plain, as: UTF16.self)
  }

  static let backslash: UInt16 = 0x5C

  /// Space, tab and form feed.
  static func isSpace(_ unit: UInt16) -> Bool { unit == 0x20 || unit == 0x09 || unit == 0x0C }

  private static func isSeparator(_ unit: UInt16) -> Bool { unit == 0x3D || unit == 0x3A }

  private static func isHexDigit(_ unit: UInt16) -> Bool {
    switch unit {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }
}

/// A line of a properties file with its continuations joined, without the white space it begins with.
struct LogicalLine {
  let units: [UInt16]
  /// Where it begins in the file, counted from 1.
  let number: Int
}

/// Takes a properties file apart into logical lines; comments and blank lines are left out.
struct LogicalLines {
  private let units: [UInt16]
  private var position = 0
  private var number = 0

  init(_ contents: String) {
    units = Array(contents.utf16)
    // A byte order mark, as some editors write it.
    if units.first == 0xFEFF { position = 1 }
  }

  /// The next logical line; nil at the end of the file.
  mutating func next() -> LogicalLine? {
    while position < units.count {
      let start = number + 1
      var joined = naturalLine()
      guard let first = joined.first, first != 0x23, first != 0x21 else { continue }  // '#', '!'
      while Self.continues(joined) {
        joined.removeLast()
        guard position < units.count else { break }
        joined += naturalLine()
      }
      if !joined.isEmpty { return LogicalLine(units: Array(joined), number: start) }
    }
    return nil
  }

  /// The next line of the file, without the white space it begins with and without its end.
  private mutating func naturalLine() -> ArraySlice<UInt16> {
    let start = position
    while position < units.count, units[position] != 0x0A, units[position] != 0x0D { position += 1 }
    let line = units[start..<position].drop(while: PropertiesFile.isSpace)
    if position < units.count {
      let wasReturn = units[position] == 0x0D
      position += 1
      if wasReturn, position < units.count, units[position] == 0x0A { position += 1 }
    }
    number += 1
    return line
  }

  /// True where the line ends in an odd number of backslashes.
  private static func continues(_ line: ArraySlice<UInt16>) -> Bool {
    line.reversed().prefix { $0 == PropertiesFile.backslash }.count % 2 == 1
  }
}
