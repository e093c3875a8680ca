internal import OttlaClient

/// Makes the topics beside those that are processed, where they are missing.
struct TopicCreation {
  private static let topicAlreadyExists: Int32 = 36
  private let admin: AdminClient

  init(_ configuration: ConsumerConfiguration) throws(ClientError) {
    admin = try AdminClient(AdminConfiguration(like: configuration, for: "making topics"))
  }

  /// - Throws: `.unknownTopic` for one of `topics`; what the broker refuses.
  func create(_ routes: TopicRoutes, for topics: [String]) async throws(ClientError) {
    for topic in topics where !topic.hasPrefix("^") {
      let names = routes.topicsBeside(topic)
      guard !names.isEmpty else { continue }
      let partitions = try await admin.describeTopic(topic).partitions
      for name in names {
        do throws(ClientError) {
          try await admin.createTopic(
            name, partitions: Int32(clamping: partitions.count),
            replicationFactor: partitions.first.map { Int16(clamping: $0.replicas.count) })
        } catch {
          guard error.code == Self.topicAlreadyExists else { throw error }
        }
      }
    }
    await admin.disconnect()
  }
}
