/// The values that were set for a broker, as text, by where they were set.
struct ConfigLayers: Sendable, Equatable {
  /// Set at run time for this broker.
  var dynamicBroker: [String: String] = [:]
  /// Set at run time for all brokers.
  var dynamicDefault: [String: String] = [:]
  /// Given at the start.
  var staticBroker: [String: String] = [:]

  /// The values set for `name`, the one in force first.
  func values(of name: String) -> [(text: String, source: ConfigSource)] {
    var found: [(text: String, source: ConfigSource)] = []
    if let text = dynamicBroker[name] { found.append((text, .dynamicBroker)) }
    if let text = dynamicDefault[name] { found.append((text, .dynamicDefaultBroker)) }
    if let text = staticBroker[name] { found.append((text, .staticBroker)) }
    return found
  }

  /// The value in force that somebody set; nil where nobody did.
  func text(of name: String) -> String? {
    dynamicBroker[name] ?? dynamicDefault[name] ?? staticBroker[name]
  }
}
