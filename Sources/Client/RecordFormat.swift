package import Primitives

/// How consumed records are written: a text with kcat's letters, such as `%t [%p] at %o: %s\n`.
///
/// `%t` topic, `%p` partition, `%o` offset, `%k` key, `%s` value, `%K` and `%S` their lengths (-1 for null), `%R` the value's
/// length as a big-endian int32, `%T` timestamp in milliseconds, `%h` headers as `name=value,...`, `%%` a percent sign.
/// `\n`, `\t`, `\r`, `\0`, `\\` and `\xHH` are the bytes they stand for.
package struct RecordFormat: Hashable, Sendable {
  enum Piece: Hashable, Sendable {
    case literal([UInt8])
    case topic, partition, offset, key, value, keyLength, valueLength, binaryValueLength, timestamp, headers
  }
  let pieces: [Piece]

  /// The value and a line end.
  package static let value = RecordFormat(pieces: [.value, .literal([0x0a])])

  private init(pieces: [Piece]) { self.pieces = pieces }

  /// - Throws: a sentence about the first thing in `text` that means nothing.
  package init(_ text: String) throws(FormatError) {
    var pieces: [Piece] = []
    var literal: [UInt8] = []
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "%") {
        guard index < bytes.count else {
          throw FormatError("the format ends with a lone %; write %% for a percent sign")
        }
        let letter = bytes[index]
        index += 1
        if letter == UInt8(ascii: "%") {
          literal.append(letter)
          continue
        }
        guard let piece = Self.piece(letter) else {
          throw FormatError("%\(Character(Unicode.Scalar(letter))) is not a part of a record")
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        literal = []
        pieces.append(piece)
      } else if byte == UInt8(ascii: "\\") {
        literal.append(try Self.escape(bytes, &index))
      } else {
        literal.append(byte)
      }
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    self.pieces = pieces
  }

  private static func piece(_ letter: UInt8) -> Piece? {
    switch letter {
    case UInt8(ascii: "t"): .topic
    case UInt8(ascii: "p"): .partition
    case UInt8(ascii: "o"): .offset
    case UInt8(ascii: "k"): .key
    case UInt8(ascii: "s"): .value
    case UInt8(ascii: "K"): .keyLength
    case UInt8(ascii: "S"): .valueLength
    case UInt8(ascii: "R"): .binaryValueLength
    case UInt8(ascii: "T"): .timestamp
    case UInt8(ascii: "h"): .headers
    default: nil
    }
  }

  /// The byte that the characters behind a backslash stand for.
  private static func escape(_ bytes: [UInt8], _ index: inout Int) throws(FormatError) -> UInt8 {
    guard index < bytes.count else { throw FormatError("the format ends with a lone backslash; write \\\\ for one") }
    let letter = bytes[index]
    index += 1
    switch letter {
    case UInt8(ascii: "n"): return 0x0a
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "r"): return 0x0d
    case UInt8(ascii: "0"): return 0
    case UInt8(ascii: "\\"): return letter
    case UInt8(ascii: "x"):
      guard index + 2 <= bytes.count,
        let value = UInt8(String(decoding: bytes[index..<index + 2], as: UTF8.self), radix: 16)
      else { throw FormatError("\\x needs two hexadecimal digits behind it") }
      index += 2
      return value
    default:
      throw FormatError("\\\(Character(Unicode.Scalar(letter))) is no escape")
    }
  }

  /// Reads text in which the same escapes may stand, such as a separator given as `\t`.
  package static func unescape(_ text: String) throws(FormatError) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      result.append(byte == UInt8(ascii: "\\") ? try escape(bytes, &index) : byte)
    }
    return result
  }

  /// A sentence about a format that cannot be read.
  package struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
  }
}

extension RecordFormat {
  /// Appends `record` to `output`. A null key or value is written as nothing.
  package func write(_ record: ConsumedRecord, into output: OutputBuffer) {
    for piece in pieces {
      switch piece {
      case .literal(let bytes): output.append(bytes)
      case .topic: output.append(text: record.topic)
      case .partition: output.append(decimal: Int64(record.partition))
      case .offset: output.append(decimal: record.offset)
      case .key: if let key = record.key { output.append(key) }
      case .value: if let value = record.value { output.append(value) }
      case .keyLength: output.append(decimal: Int64(record.key?.count ?? -1))
      case .valueLength: output.append(decimal: Int64(record.value?.count ?? -1))
      case .binaryValueLength:
        let length = Int32(truncatingIfNeeded: record.value?.count ?? -1).bigEndian
        withUnsafeBytes(of: length) { output.append($0) }
      case .timestamp: output.append(decimal: record.timestamp)
      case .headers: Self.writeHeaders(record, into: output)
      }
    }
  }

  private static func writeHeaders(_ record: ConsumedRecord, into output: OutputBuffer) {
    var isFirst = true
    record.forEachHeader { name, value in
      if !isFirst { output.append(text: ",") }
      isFirst = false
      output.append(text: name)
      output.append(text: "=")
      if let value { output.append(value) } else { output.append(text: "NULL") }
    }
  }
}

extension OutputBuffer {
  /// Appends the UTF-8 bytes of `text`.
  package func append(text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Appends `number` in decimal digits, without making a string.
  package func append(decimal number: Int64) {
    withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var position = digits.count
      var rest = number.magnitude
      repeat {
        position -= 1
        digits[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if number < 0 {
        position -= 1
        digits[position] = UInt8(ascii: "-")
      }
      append(UnsafeRawBufferPointer(rebasing: digits[position...]))
    }
  }
}
