/// Which values of its type a property takes: checked when a value is set, and told in error messages and in the manual.
package enum AllowedValues: Sendable, Equatable {
  /// Every value of the type.
  case any
  /// Whole numbers in the range, and the one beside it (such as -1 for "no limit").
  case range(ClosedRange<Int64>, or: Int64?)
  /// Real numbers in the range.
  case reals(ClosedRange<Double>)
  /// One of these words, exactly.
  case oneOf([String])
  /// A list of these words, each at most once, at least one.
  case listOf([String])
  /// `*`, or a list of `partition:broker`.
  case throttledReplicas
  /// A text with a syntax of its own that is checked where the whole configuration is put together.
  case syntax(String)
  /// Only the empty value: what the property asks for does not exist here, and to ignore it would be dangerous.
  case unsupported(String)

  /// Whole numbers from `minimum` on.
  static func atLeast(_ minimum: Int64, or other: Int64? = nil) -> AllowedValues {
    .range(minimum...Int64.max, or: other)
  }

  /// Whole numbers from `minimum` to `maximum`, both included.
  static func between(_ minimum: Int64, _ maximum: Int64, or other: Int64? = nil) -> AllowedValues {
    .range(minimum...maximum, or: other)
  }

  /// True where a property may take `value`.
  package func allows(_ value: ConfigValue) -> Bool {
    switch self {
    case .any, .syntax: return true
    case .range(let range, let other):
      guard let integer = value.integer else { return false }
      return range.contains(integer) || integer == other
    case .reals(let range):
      guard case .double(let real) = value else { return false }
      return range.contains(real)
    case .oneOf(let words):
      guard case .string(let word) = value else { return false }
      return words.contains(word)
    case .listOf(let words):
      guard case .list(let elements) = value, !elements.isEmpty else { return false }
      return elements.allSatisfy(words.contains) && Set(elements).count == elements.count
    case .throttledReplicas:
      guard case .list(let elements) = value else { return false }
      return elements == ["*"] || elements.allSatisfy(Self.isThrottledReplica)
    case .unsupported: return value.text.isEmpty
    }
  }

  private static func isThrottledReplica(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { Int32($0).map { $0 >= 0 } ?? false }
  }

  /// The allowed values in words: completes "must be ...". Empty where the type says it all.
  package var description: String {
    switch self {
    case .any: ""
    case .range(let range, let other):
      (range.upperBound == .max
        ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)")
        + (other.map { ", or \($0)" } ?? "")
    case .reals(let range): "between \(range.lowerBound) and \(range.upperBound)"
    case .oneOf(let words): "one of \(words.joined(separator: ", "))"
    case .listOf(let words): "a list of \(words.joined(separator: ", "))"
    case .throttledReplicas: "* or a list of partition:broker"
    case .syntax(let description): description
    case .unsupported(let reason): "empty: \(reason)"
    }
  }
}
