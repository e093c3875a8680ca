/// What DescribeConfigs says of one property.
package struct ConfigDescription: Sendable, Equatable {
  package let name: String
  /// The value in force; nil for none, and for secrets.
  package let value: String?
  /// True where it cannot be changed at run time.
  package let isReadOnly: Bool
  package let isSensitive: Bool
  package let source: ConfigSource
  /// Every value that was given for it, the one in force first, the default last.
  package let synonyms: [Synonym]
  package let type: ConfigType
  package let documentation: String

  /// A value given for the property, or for a property that stands behind it.
  package struct Synonym: Sendable, Equatable {
    package let name: String
    /// Nil for secrets.
    package let value: String?
    package let source: ConfigSource
  }

  /// True where nobody set it.
  package var isDefault: Bool { source == .default }
}

extension ConfigDescription {
  /// The description of a row of which `synonyms` are given.
  init<Target>(_ row: Property<Target>, value: String?, isReadOnly: Bool, synonyms: [Synonym]) {
    name = row.name
    self.value = row.isSensitive ? nil : value
    self.isReadOnly = isReadOnly
    isSensitive = row.isSensitive
    source = synonyms.first?.source ?? .default
    self.synonyms = row.isSensitive ? synonyms.map { Synonym(name: $0.name, value: nil, source: $0.source) } : synonyms
    type = row.type
    documentation = row.effect == .kept ? row.documentation : row.documentation + " Without effect here."
  }
}
