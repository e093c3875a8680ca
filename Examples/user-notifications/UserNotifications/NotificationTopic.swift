package import OttlaClient

/// The topic of the notifications, made by whichever program needs it first.
package actor NotificationTopic {
  package nonisolated let name: String
  private let partitions: Int32
  private let admin: AdminClient
  private var count: Int32?

  /// - Parameter partitions: how many it gets where it is not there yet.
  package init(_ name: String, partitions: Int32, bootstrapServers: String) throws(ClientError) {
    self.name = name
    self.partitions = partitions
    admin = try AdminClient(AdminConfiguration(bootstrapServers: bootstrapServers))
  }

  /// How many partitions the topic has. Asked once: with another number keys would go to other partitions.
  ///
  /// - Throws: where no broker answers, or none makes the topic; the next call tries anew.
  package func partitionCount() async throws(ClientError) -> Int32 {
    if let count { return count }
    let found = try await findOrMake()
    count = found
    return found
  }

  /// The partition of the notifications for `user`.
  package func partition(of user: User) async throws(ClientError) -> Int32 {
    let count = try await partitionCount()
    let key = Array(Notification.key(of: user).utf8)
    guard let partition = Self.partitioner.partition(of: key, among: count) else {
      throw .illegalState(reason: "\(Self.partitioner) leaves the partition of a key to chance")
    }
    return partition
  }

  /// How the producer server chooses partitions, and the consumer server knows them again.
  package static let partitioner = ProducerConfiguration.Partitioner.murmur2Random

  private func findOrMake() async throws(ClientError) -> Int32 {
    do {
      return Int32(try await admin.describeTopic(name).partitions.count)
    } catch .unknownTopic {
      do {
        try await admin.createTopic(name, partitions: partitions)
      } catch .refused(let code, _, _) where code == 36 {
        // The other program was quicker.
      }
      return Int32(try await admin.describeTopic(name).partitions.count)
    }
  }
}
