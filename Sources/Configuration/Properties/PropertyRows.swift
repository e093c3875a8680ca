// The kinds of rows. Each has a name of its own, none is overloaded: the tables are long and must compile fast.

extension Property {
  typealias Field<Value> = any WritableKeyPath<Target, Value> & Sendable

  static func boolean(
    _ name: String, _ field: Field<Bool>, _ defaultValue: Bool, _ documentation: String
  ) -> Property {
    Property(name, .boolean, defaultValue ? "true" : "false", .any, documentation) { target, value in
      if case .boolean(let parsed)? = value { target[keyPath: field] = parsed }
    }
  }

  static func short(
    _ name: String, _ field: Field<Int16>, _ defaultValue: Int16, _ allowed: AllowedValues, _ documentation: String
  ) -> Property {
    Property(name, .short, String(defaultValue), allowed, documentation) { target, value in
      if case .short(let parsed)? = value { target[keyPath: field] = parsed }
    }
  }

  static func int(
    _ name: String, _ field: Field<Int32>, _ defaultValue: Int32, _ allowed: AllowedValues, _ documentation: String
  ) -> Property {
    Property(name, .int, String(defaultValue), allowed, documentation) { target, value in
      if case .int(let parsed)? = value { target[keyPath: field] = parsed }
    }
  }

  static func long(
    _ name: String, _ field: Field<Int64>, _ defaultValue: Int64, _ allowed: AllowedValues, _ documentation: String
  ) -> Property {
    Property(name, .long, String(defaultValue), allowed, documentation) { target, value in
      if case .long(let parsed)? = value { target[keyPath: field] = parsed }
    }
  }

  static func double(
    _ name: String, _ field: Field<Double>, _ defaultValue: String, _ allowed: AllowedValues, _ documentation: String
  ) -> Property {
    Property(name, .double, defaultValue, allowed, documentation) { target, value in
      if case .double(let parsed)? = value { target[keyPath: field] = parsed }
    }
  }

  /// A string that may be absent; an empty one counts as absent.
  static func optionalString(_ name: String, _ field: Field<String?>, _ documentation: String) -> Property {
    Property(name, .string, nil, .any, documentation) { target, value in
      if case .string(let parsed)? = value, !parsed.isEmpty {
        target[keyPath: field] = parsed
      } else {
        target[keyPath: field] = nil
      }
    }
  }

  /// A word that stands for a value of `Word`.
  static func word<Word: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ field: Field<Word>, _ defaultValue: Word, _ documentation: String
  ) -> Property where Word.RawValue == String {
    let words = AllowedValues.oneOf(Word.allCases.map(\.rawValue))
    return Property(name, .string, defaultValue.rawValue, words, documentation) { target, value in
      if case .string(let text)? = value, let parsed = Word(rawValue: text) { target[keyPath: field] = parsed }
    }
  }

  /// A property with no field of its own: read as text where the configuration is put together.
  static func text(
    _ name: String, _ type: ConfigType, _ defaultValue: String?, _ allowed: AllowedValues, _ documentation: String
  ) -> Property {
    Property(name, type, defaultValue, allowed, documentation) { _, _ in }
  }

  /// A property without effect.
  static func echo(_ name: String, _ type: ConfigType, _ defaultValue: String?, _ documentation: String) -> Property {
    Property(name, type, defaultValue, .any, documentation) { _, _ in }.echoed()
  }
}
