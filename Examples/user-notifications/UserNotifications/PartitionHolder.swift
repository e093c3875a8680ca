/// Where a consumer server answers. It tells the others by its client id, which the group's coordinator repeats to whoever asks
/// who the members are.
package struct ConsumerAddress: Hashable, Sendable {
  private static let program = "notification-consumer@"

  /// `host:port`.
  package let http: String

  package init(http: String) { self.http = http }

  /// The address in a member's client id; nil for members of another kind.
  package init?(clientId: String) {
    guard clientId.hasPrefix(Self.program), clientId.count > Self.program.count else { return nil }
    http = String(clientId.dropFirst(Self.program.count))
  }

  package var clientId: String { "\(Self.program)\(http)" }
  package var url: String { "http://\(http)" }
}

/// A member of the group, and what it reads.
package struct GroupMember: Hashable, Sendable {
  package let clientId: String
  package let partitions: [Int32]

  package init(clientId: String, partitions: [Int32]) {
    self.clientId = clientId
    self.partitions = partitions
  }
}

/// Who in the group reads a partition.
package enum PartitionHolder: Hashable, Sendable {
  /// The server that asks.
  case own
  /// Another one, which can be asked.
  case other(ConsumerAddress)
  /// A member that is no server of this demo.
  case stranger(clientId: String)
  /// Nobody at present: the members are being told anew.
  case nobody

  package init(of partition: Int32, among members: [GroupMember], askedBy address: ConsumerAddress) {
    guard let member = members.first(where: { $0.partitions.contains(partition) }) else {
      self = .nobody
      return
    }
    switch ConsumerAddress(clientId: member.clientId) {
    case address: self = .own
    case .some(let other): self = .other(other)
    case nil: self = .stranger(clientId: member.clientId)
    }
  }
}
