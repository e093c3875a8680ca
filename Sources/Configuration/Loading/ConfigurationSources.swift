/// All the places where a broker's properties are given when it starts.
///
/// Flags win over settings, these over the environment, this over the file, and the file over the defaults.
package struct ConfigurationSources: Sendable {
  /// The contents of the properties file; nil where there is none.
  package let file: String?
  /// The process's environment: the variables that begin with `KAFKA_` are properties.
  package let environment: [String: String]
  /// `--set name=value`, in the order given; the last one of a name counts.
  package let settings: [(name: String, value: String)]
  /// Properties that have a flag of their own.
  package let flags: [(name: String, value: String)]

  package init(
    file: String? = nil, environment: [String: String] = [:], settings: [(name: String, value: String)] = [],
    flags: [(name: String, value: String)] = []
  ) {
    self.file = file
    self.environment = environment
    self.settings = settings
    self.flags = flags
  }

  /// A configuration that can be used, and what its owner should know.
  package struct Loaded: Sendable {
    package let config: BrokerConfig
    /// By name.
    package let warnings: [ConfigurationWarning]
  }

  /// Reads and checks everything.
  ///
  /// Throws all bad values at once, by name, so that they can be mended in one go.
  package func load() throws(ConfigurationError) -> Loaded {
    var given = try collect()
    let conflicts = given.settleSynonyms()
    var layers = ConfigLayers()
    layers.staticBroker = given.values.mapValues(\.text).filter { BrokerProperties.row($0.key) != nil }
    let (config, complaints) = BrokerConfig.checking(layers)
    var bad = conflicts
    for complaint in complaints.map({ given.badValue($0, in: config) }) where !bad.contains(complaint) {
      bad.append(complaint)
    }
    guard bad.isEmpty else { throw ConfigurationError(badValues: bad.sorted { $0.name < $1.name }) }
    return Loaded(config: config, warnings: given.warnings)
  }

  /// Every value that was given, the strongest of each name.
  private func collect() throws(ConfigurationError) -> GivenValues {
    var given = GivenValues()
    do throws(PropertiesFile.BadEscape) {
      for entry in try PropertiesFile.entries(file ?? "") {
        given.set(entry.name, entry.value, .file(line: entry.line))
      }
    } catch {
      let bad = BadValue(
        name: "\\u", value: "", allowed: "followed by four hexadecimal digits", origin: .file(line: error.line))
      throw ConfigurationError(badValues: [bad])
    }
    for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
      guard let name = EnvironmentNames.property(variable) else { continue }
      given.set(name, value, .environment(variable: variable))
    }
    for (name, value) in settings { given.set(name, value, .setting) }
    for (name, value) in flags { given.set(name, value, .flag) }
    return given
  }
}
