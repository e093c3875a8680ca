/// A value of a column or a parameter.
///
/// ```swift
/// for value in try await database.run("SELECT * FROM items LIMIT 1").rows[0].values {
///   if case .text(let text) = value { print(text) }
/// }
/// ```
///
/// A tool that shows any table writes each value as it can be read:
///
/// ```swift
/// func shown(_ value: SQLValue) -> String {
///   switch value {
///   case .null: "-"
///   case .integer(let number): "\(number)"
///   case .real(let number): "\(number)"
///   case .boolean(let truth): truth ? "yes" : "no"   // of SQLite it would be 1 or 0
///   case .text(let text): text
///   case .bytes(let bytes): "\(bytes.count) bytes"
///   }
/// }
/// ```
public enum SQLValue: Sendable, Hashable {
  /// No value.
  case null
  /// A whole number.
  case integer(Int64)
  /// A floating-point number.
  case real(Double)
  /// SQLite has none, and keeps 0 or 1.
  case boolean(Bool)
  /// Text.
  case text(String)
  /// `bytea` in PostgreSQL, a blob in SQLite.
  case bytes([UInt8])
}

/// What can be a parameter of a statement and be read from a column: numbers, text, bytes, truths, and optionals of them.
///
/// ```swift
/// struct AccountID: SQLConvertible {
///   let text: String
///   var sqlValue: SQLValue { .text(text) }
///   init?(sqlValue: SQLValue) {
///     guard case .text(let text) = sqlValue else { return nil }
///     self.text = text
///   }
/// }
/// ```
public protocol SQLConvertible {
  /// The value for the database.
  var sqlValue: SQLValue { get }
  /// Nil where a column's value is of another kind, or does not fit.
  init?(sqlValue: SQLValue)
}

extension SQLValue: SQLConvertible {
  public var sqlValue: SQLValue { self }
  public init?(sqlValue: SQLValue) { self = sqlValue }
}

extension String: SQLConvertible {
  public var sqlValue: SQLValue { .text(self) }
  public init?(sqlValue: SQLValue) {
    guard case .text(let text) = sqlValue else { return nil }
    self = text
  }
}

extension Int64: SQLConvertible {
  public var sqlValue: SQLValue { .integer(self) }
  public init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self = number
  }
}

extension Int: SQLConvertible {
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  public init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self.init(exactly: number)
  }
}

extension Int32: SQLConvertible {
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  public init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self.init(exactly: number)
  }
}

extension Double: SQLConvertible {
  public var sqlValue: SQLValue { .real(self) }
  /// A whole number is taken too, for SQLite keeps 1.0 as one in columns of some types.
  public init?(sqlValue: SQLValue) {
    switch sqlValue {
    case .real(let number): self = number
    case .integer(let number): self = Double(number)
    case .null, .boolean, .text, .bytes: return nil
    }
  }
}

extension Bool: SQLConvertible {
  public var sqlValue: SQLValue { .boolean(self) }
  /// 0 and 1 are taken too: SQLite has no other truths.
  public init?(sqlValue: SQLValue) {
    switch sqlValue {
    case .boolean(let truth): self = truth
    case .integer(0): self = false
    case .integer(1): self = true
    case .null, .integer, .real, .text, .bytes: return nil
    }
  }
}

extension [UInt8]: SQLConvertible {
  public var sqlValue: SQLValue { .bytes(self) }
  public init?(sqlValue: SQLValue) {
    guard case .bytes(let bytes) = sqlValue else { return nil }
    self = bytes
  }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
  public var sqlValue: SQLValue { map(\.sqlValue) ?? .null }
  public init?(sqlValue: SQLValue) {
    guard sqlValue != .null else {
      self = .none
      return
    }
    guard let wrapped = Wrapped(sqlValue: sqlValue) else { return nil }
    self = .some(wrapped)
  }
}
