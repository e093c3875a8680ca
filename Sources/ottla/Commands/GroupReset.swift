import Client
import KafkaProtocol
import Primitives

func groupResetCommand() -> Command {
  Command(
    "group reset", "set where a group without members goes on reading",
    parameters: [Parameter("GROUP")],
    options: [
      .value(
        "to", as: "PLACE", help: "earliest, latest, an offset, @MILLISECONDS since 1970, or a time as 2026-11-20T12:30Z"
      ),
      .value(
        "topic", "t", as: "T[:P]", repeats: true, help: "a topic, or one partition of it (default: all with an offset)"),
      .flag("dry-run", "n", help: "show what would be set, and set nothing"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla group reset billing --to earliest --topic orders --dry-run", "look first"),
      ("ottla group reset billing --to 2026-11-20T00:00Z", "everything of that day again"),
      ("ottla group reset billing --to 42 --topic orders:3", "one partition at one offset"),
    ]
  ) { arguments in
    let group = arguments.parameters[0]
    guard let text = arguments.text("to") else { throw UsageError("--to is missing") }
    let target = try ResetTarget(text)
    let wanted = try arguments.texts("topic").map(WantedPartitions.init)
    let wantsJSON = try arguments.wantsJSON()
    let admin = try arguments.adminClient()
    let committed = try admin.committedOffsets(of: group)
    let partitions = try selected(wanted, committed, admin)
    guard !partitions.isEmpty else {
      throw CommandFailure("group \(group) has no offsets; name what to set with --topic")
    }
    let offsets = try target.offsets(of: partitions, admin)
    if !arguments.has("dry-run") {
      do throws(ClientError) { try admin.commitOffsets(offsets, of: group) } catch {
        // The broker refuses a commit from outside while members are reading, as an unknown member.
        guard case .refused(_, let refusal) = error, refusal.code == .unknownMemberId else { throw error }
        throw CommandFailure("group \(group) has members at present; stop them first")
      }
    }
    showReset(partitions, from: committed, to: offsets, wantsJSON)
  }
}

private func showReset(
  _ partitions: [TopicPartition], from committed: [TopicPartition: Int64], to offsets: [TopicPartition: Int64],
  _ wantsJSON: Bool
) {
  if wantsJSON {
    show(
      .array(
        partitions.map { partition in
          .object([
            ("topic", .string(partition.topic)), ("partition", .integer(partition.partition)),
            ("before", committed[partition].map { .integer($0) } ?? .null),
            ("after", offsets[partition].map { .integer($0) } ?? .null),
          ])
        }))
    return
  }
  var table = TextTable("TOPIC", "PARTITION", "BEFORE", "AFTER")
  for partition in partitions {
    table.add(
      partition.topic, "\(partition.partition)", committed[partition].map { "\($0)" } ?? "-",
      offsets[partition].map { "\($0)" } ?? "-")
  }
  table.show(whenEmpty: "nothing to set")
}

/// A topic, or one partition of it, as given with `--topic`.
private struct WantedPartitions {
  let topic: String
  let partition: Int32?

  init(_ text: String) throws(UsageError) {
    guard let colon = text.lastIndex(of: ":") else {
      topic = text
      partition = nil
      return
    }
    guard let number = Int32(text[text.index(after: colon)...]), number >= 0 else {
      throw UsageError("--topic takes TOPIC or TOPIC:PARTITION, not '\(text)'")
    }
    topic = String(text[..<colon])
    partition = number
  }
}

private func selected(
  _ wanted: [WantedPartitions], _ committed: [TopicPartition: Int64], _ admin: AdminClient
) throws -> [TopicPartition] {
  var partitions: Set<TopicPartition> = wanted.isEmpty ? Set(committed.keys) : []
  for entry in wanted {
    let existing = try admin.partitions(of: entry.topic).map { TopicPartition(entry.topic, $0.partitionIndex) }
    let chosen = existing.filter { entry.partition == nil || $0.partition == entry.partition }
    guard !chosen.isEmpty else {
      throw CommandFailure("topic \(entry.topic) has no partition \(entry.partition ?? 0)")
    }
    partitions.formUnion(chosen)
  }
  return partitions.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
}

/// The place that `--to` names.
private enum ResetTarget {
  case earliest, latest
  case offset(Int64)
  case time(Int64)

  /// A number below this is an offset, from it on a time: 2001-09-09 in milliseconds. `@` in front makes any a time.
  private static let timesFrom: Int64 = 1_000_000_000_000

  init(_ text: String) throws(UsageError) {
    if text == "earliest" {
      self = .earliest
    } else if text == "latest" {
      self = .latest
    } else if text.hasPrefix("@"), let time = PointInTime.milliseconds(String(text.dropFirst())) {
      self = .time(time)
    } else if let number = Int64(text), number >= 0 {
      self = number < Self.timesFrom ? .offset(number) : .time(number)
    } else if let time = PointInTime.milliseconds(text) {
      self = .time(time)
    } else {
      throw UsageError("--to takes earliest, latest, an offset or a time as 2026-11-20T12:30Z, not '\(text)'")
    }
  }

  /// The offset of this place in each partition; one outside of the log is moved to its nearer end.
  func offsets(of partitions: [TopicPartition], _ admin: AdminClient) throws -> [TopicPartition: Int64] {
    let latest = try admin.listOffsets(partitions, .latest).mapValues(\.offset)
    switch self {
    case .latest: return latest
    case .earliest: return try admin.listOffsets(partitions, .earliest).mapValues(\.offset)
    case .time(let time):
      let found = try admin.listOffsets(partitions, .timestamp(time)).mapValues(\.offset)
      return found.merging(latest) { offset, end in offset < 0 ? end : offset }
    case .offset(let offset):
      let earliest = try admin.listOffsets(partitions, .earliest).mapValues(\.offset)
      return earliest.merging(latest) { first, end in min(max(offset, first), end) }
    }
  }
}
