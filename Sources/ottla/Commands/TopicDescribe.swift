import Client
import KafkaProtocol
import Primitives

func topicDescribeCommand() -> Command {
  Command(
    "topic describe", "show a topic's partitions, leaders, replicas and changed properties",
    parameters: [Parameter("NAME")],
    options: [CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout],
    examples: [
      ("ottla topic describe orders", "for people"),
      ("ottla topic describe orders -o json | jq '.partitions[].leader'", "the leaders, for a script"),
    ]
  ) { arguments in
    let name = arguments.parameters[0]
    let wantsJSON = try arguments.wantsJSON()
    let admin = try arguments.adminClient()
    guard let topic = try admin.metadata(topics: [name]).topics.first, topic.errorCode == .none else {
      throw CommandFailure("topic \(name) does not exist; `ottla topic list` shows those that do")
    }
    let changed = try admin.describeConfigs(.topic(name)).filter { $0.configSource == topicConfigSource }
    let partitions = topic.partitions.sorted { $0.partitionIndex < $1.partitionIndex }
    let ends = try partitionEnds(name, partitions, admin)
    if wantsJSON {
      show(json(topic, partitions, changed, ends))
    } else {
      showText(topic, partitions, changed, ends)
    }
  }
}

/// DYNAMIC_TOPIC_CONFIG: a property that was set for the topic itself.
let topicConfigSource: Int8 = 1

private typealias PartitionEnds = [TopicPartition: (earliest: Int64, latest: Int64)]

/// The first and the next offset of each partition that has a leader.
private func partitionEnds(
  _ topic: String, _ partitions: [MetadataResponse.MetadataResponsePartition], _ admin: AdminClient
) throws -> PartitionEnds {
  let led = partitions.filter { $0.leaderId >= 0 }.map { Primitives.TopicPartition(topic, $0.partitionIndex) }
  let earliest = try admin.listOffsets(led, .earliest)
  let latest = try admin.listOffsets(led, .latest)
  var ends: PartitionEnds = [:]
  for partition in led {
    guard let first = earliest[partition], let next = latest[partition] else { continue }
    ends[partition] = (first.offset, next.offset)
  }
  return ends
}

private func json(
  _ topic: MetadataResponse.MetadataResponseTopic, _ partitions: [MetadataResponse.MetadataResponsePartition],
  _ changed: [DescribeConfigsResponse.DescribeConfigsResourceResult], _ ends: PartitionEnds
) -> JSON {
  let rows = partitions.map { partition -> JSON in
    let end = ends[TopicPartition(topic.name ?? "", partition.partitionIndex)]
    return .object([
      ("partition", .integer(partition.partitionIndex)), ("leader", .integer(partition.leaderId)),
      ("leaderEpoch", .integer(partition.leaderEpoch)),
      ("replicas", .array(partition.replicaNodes.map { .integer($0) })),
      ("isr", .array(partition.isrNodes.map { .integer($0) })),
      ("offline", .array(partition.offlineReplicas.map { .integer($0) })),
      ("logStartOffset", end.map { .integer($0.earliest) } ?? .null),
      ("highWatermark", end.map { .integer($0.latest) } ?? .null),
    ])
  }
  return .object([
    ("topic", .string(topic.name ?? "")), ("id", .string(topic.topicId.description)),
    ("internal", .bool(topic.isInternal)), ("partitions", .array(rows)),
    ("configs", .object(changed.map { ($0.name, .optional($0.value)) })),
  ])
}

private func showText(
  _ topic: MetadataResponse.MetadataResponseTopic, _ partitions: [MetadataResponse.MetadataResponsePartition],
  _ changed: [DescribeConfigsResponse.DescribeConfigsResourceResult], _ ends: PartitionEnds
) {
  let head = StandardOutput()
  head.line("topic \(topic.name ?? ""), id \(topic.topicId)")
  for config in changed { head.line("  \(config.name)=\(config.value ?? "")") }
  head.flush()
  var table = TextTable("PARTITION", "LEADER", "REPLICAS", "ISR", "START", "END")
  for partition in partitions {
    let end = ends[TopicPartition(topic.name ?? "", partition.partitionIndex)]
    table.add(
      "\(partition.partitionIndex)", partition.leaderId < 0 ? "none" : "\(partition.leaderId)",
      partition.replicaNodes.map { "\($0)" }.joined(separator: ","),
      partition.isrNodes.map { "\($0)" }.joined(separator: ","),
      end.map { "\($0.earliest)" } ?? "-", end.map { "\($0.latest)" } ?? "-")
  }
  table.show(whenEmpty: "no partitions")
}
