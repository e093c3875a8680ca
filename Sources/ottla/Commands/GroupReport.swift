import Client
import KafkaProtocol
import Primitives

/// What `group describe` tells: a row for each partition that the group has an offset in or a member for.
struct GroupReport {
  struct Row {
    let partition: TopicPartition
    let committed: Int64?
    let end: Int64?
    /// The member that reads it at present.
    let member: DescribeGroupsResponse.DescribedGroupMember?
    /// Records between the committed offset and the end; nil where one of them is unknown.
    var lag: Int64? { end.flatMap { end in committed.map { max(0, end &- $0) } } }
  }

  let group: DescribeGroupsResponse.DescribedGroup
  let rows: [Row]

  init(
    _ group: DescribeGroupsResponse.DescribedGroup, committed: [TopicPartition: Int64], _ admin: AdminClient
  ) throws {
    self.group = group
    var owners: [TopicPartition: DescribeGroupsResponse.DescribedGroupMember] = [:]
    for member in group.members {
      for partition in Self.assignment(of: member) { owners[partition] = member }
    }
    let partitions = Set(committed.keys).union(owners.keys).sorted {
      ($0.topic, $0.partition) < ($1.topic, $1.partition)
    }
    let ends = try Self.ends(of: partitions, admin)
    rows = partitions.map { Row(partition: $0, committed: committed[$0], end: ends[$0], member: owners[$0]) }
  }

  /// The partitions that a member was given; none for one whose assignment cannot be read.
  private static func assignment(of member: DescribeGroupsResponse.DescribedGroupMember) -> [TopicPartition] {
    member.memberAssignment.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let version = reader.int16()
      guard reader.failure == nil, version >= 0 else { return [] }
      let known = min(version, ConsumerProtocolAssignment.versions.upperBound)
      let assignment = ConsumerProtocolAssignment.decode(from: &reader, version: known)
      guard reader.failure == nil else { return [] }
      return assignment.assignedPartitions.flatMap { topic in
        topic.partitions.map { Primitives.TopicPartition(topic.topic, $0) }
      }
    }
  }

  /// The high watermarks of those topics that still exist.
  private static func ends(of partitions: [TopicPartition], _ admin: AdminClient) throws -> [TopicPartition: Int64] {
    var ends: [TopicPartition: Int64] = [:]
    for (_, ofTopic) in Dictionary(grouping: partitions, by: \.topic) {
      do throws(ClientError) {
        for (partition, found) in try admin.listOffsets(ofTopic, .latest) { ends[partition] = found.offset }
      } catch {
        guard case .refused = error else { throw error }
      }
    }
    return ends
  }

  var json: JSON {
    .object([
      ("group", .string(group.groupId)), ("state", .string(group.groupState)),
      ("protocol", .string(group.protocolData)),
      (
        "members",
        .array(
          group.members.map { member in
            .object([
              ("memberId", .string(member.memberId)), ("clientId", .string(member.clientId)),
              ("host", .string(member.clientHost)), ("instanceId", .optional(member.groupInstanceId)),
              (
                "partitions",
                .array(
                  Self.assignment(of: member).map { partition in
                    .object([("topic", .string(partition.topic)), ("partition", .integer(partition.partition))])
                  })
              ),
            ])
          })
      ),
      (
        "partitions",
        .array(
          rows.map { row in
            .object([
              ("topic", .string(row.partition.topic)), ("partition", .integer(row.partition.partition)),
              ("committed", row.committed.map { .integer($0) } ?? .null),
              ("end", row.end.map { .integer($0) } ?? .null), ("lag", row.lag.map { .integer($0) } ?? .null),
              ("memberId", .optional(row.member?.memberId)),
            ])
          })
      ),
    ])
  }

  func showText() {
    let head = StandardOutput()
    head.line("group \(group.groupId): \(group.groupState), \(group.members.count) members")
    head.flush()
    var table = TextTable("TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER", "HOST")
    for row in rows {
      table.add(
        row.partition.topic, "\(row.partition.partition)", row.committed.map { "\($0)" } ?? "-",
        row.end.map { "\($0)" } ?? "-", row.lag.map { "\($0)" } ?? "-", row.member?.memberId ?? "-",
        row.member?.clientHost ?? "-")
    }
    table.show(whenEmpty: "no offsets committed")
  }
}
