package import OttlaClient

/// Who reads together.
package enum Groups {
  /// A member of a group: it begins at the oldest record, and is missed soon after a kill.
  package static func member(of group: String, bootstrap: String, named program: String) -> ConsumerConfiguration {
    var configuration = ConsumerConfiguration(bootstrapServers: bootstrap, groupId: group)
    configuration.clientId = program
    configuration.autoOffsetReset = .earliest
    // Until then its successor waits for its partitions.
    configuration.sessionTimeoutMs = 10_000
    return configuration
  }
}
