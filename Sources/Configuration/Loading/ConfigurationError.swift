/// The configuration cannot be used: everything that is wrong with it, in a fixed order.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  package let badValues: [BadValue]

  /// One line for each bad value.
  package var description: String { badValues.map(\.description).joined(separator: "\n") }
}

/// A value that cannot be used, with all that is needed to mend it.
package struct BadValue: Sendable, Equatable, CustomStringConvertible {
  package let name: String
  /// The value; `[hidden]` for secrets.
  package let value: String
  /// What it must be; completes "must be ...".
  package let allowed: String
  package let origin: ConfigurationOrigin

  /// For example `retention.ms=x (server.properties line 3): must be a long, at least -1`.
  package var description: String { "\(name)=\(value) (\(origin)): must be \(allowed)" }
}

/// Where a value was given.
package enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
  /// In the properties file, on the line, counted from 1.
  case file(line: Int)
  /// In the environment variable of the name.
  case environment(variable: String)
  /// By `--set`.
  case setting
  /// By a flag of its own.
  case flag
  /// Nowhere: it is the default, and does not go with something that was given.
  case `default`

  package var description: String {
    switch self {
    case .file(let line): "properties file, line \(line)"
    case .environment(let variable): "environment variable \(variable)"
    case .setting: "--set"
    case .flag: "command line"
    case .default: "default"
    }
  }
}

/// Something that the person who configures the broker should know, though the broker starts.
package enum ConfigurationWarning: Sendable, Equatable, CustomStringConvertible {
  /// A property that neither Kafka nor we know: perhaps a slip of the pen.
  case unknownName(String, ConfigurationOrigin)
  /// A property that Kafka knows and that has no effect here, set to something else than its default.
  case withoutEffect(String, ConfigurationOrigin)

  package var description: String {
    switch self {
    case .unknownName(let name, let origin): "\(name) (\(origin)) is not known and is ignored"
    case .withoutEffect(let name, let origin): "\(name) (\(origin)) has no effect here"
    }
  }
}
