/// Swift conditions on `version`, measured against the versions that can come at all.
struct VersionCondition {
  let holder: VersionRange
  let flexibleFrom: Int?

  /// What must hold of `version` for it to be in `versions`; nil where it always is.
  func inside(_ versions: VersionRange) -> String? {
    let fromBelow = versions.low > holder.low
    let toAbove = versions.high < holder.high
    if versions.low == versions.high, fromBelow, toAbove { return "version == \(versions.low)" }
    switch (fromBelow, toAbove) {
    case (false, false): return nil
    case (true, false): return "version >= \(versions.low)"
    case (false, true): return "version <= \(versions.high)"
    case (true, true): return "version >= \(versions.low) && version <= \(versions.high)"
    }
  }

  var isNeverFlexible: Bool { (flexibleFrom ?? .max) > holder.high }
  var isAlwaysFlexible: Bool { (flexibleFrom ?? .max) <= holder.low }

  /// The argument for `compact:`: a literal, or the local constant `flexible`.
  var flexible: String { isNeverFlexible ? "false" : isAlwaysFlexible ? "true" : "flexible" }

  /// The line that sets `flexible`, where it is not a literal.
  var declaration: String? {
    guard let from = flexibleFrom, flexible == "flexible" else { return nil }
    return "let flexible = version >= \(from)"
  }

  /// Runs `body` under the condition that the message is flexible.
  func whenFlexible(_ swift: inout SwiftText, _ body: (inout SwiftText) -> Void) {
    if isNeverFlexible { return }
    if isAlwaysFlexible { body(&swift) } else { swift.block("if flexible", body) }
  }

  /// The same for a single line.
  func whenFlexible(_ swift: inout SwiftText, _ line: String) {
    if isNeverFlexible { return }
    swift.conditional(isAlwaysFlexible ? nil : "flexible", [line])
  }

  /// Writes what each field needs, neighbours of the same versions under one condition.
  func write(_ fields: [Field], to swift: inout SwiftText, _ lines: (Field) -> [String]) {
    var waiting: [String] = []
    var present: String?
    for field in fields {
      let condition = inside(field.versions)
      if condition != present {
        swift.conditional(present, waiting)
        waiting = []
        present = condition
      }
      waiting += lines(field)
    }
    swift.conditional(present, waiting)
  }
}
