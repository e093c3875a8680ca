@testable import Configuration

/// The configuration of a broker that is started with these values.
func loaded(_ properties: [String: String]) throws -> BrokerConfig {
  try ConfigurationSources(settings: properties.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }).load().config
}

/// What is wrong with these values, one line each.
func complaints(_ properties: [String: String]) -> [String] {
  do {
    _ = try loaded(properties)
    return []
  } catch let error as ConfigurationError {
    return error.badValues.map(\.description)
  } catch {
    return ["\(error)"]
  }
}
