package import Primitives

/// What a group coordinator is told, and when.
package struct GroupCommand {
  package enum Event {
    /// A client asks; the answer carries `token`.
    case request(GroupRequest, version: Int16, from: GroupClient, token: RequestToken, topics: any TopicLookup)
    /// `nextDeadline` has passed.
    case timersFired
    /// Topics are gone: so are the offsets committed for them.
    case topicsDeleted([String])
  }

  package let event: Event
  package let now: Instant

  package init(_ event: Event, now: Instant) {
    self.event = event
    self.now = now
  }
}

/// Offsets and stable groups change by `replay` alone. What is soft by design (members between two generations, parked
/// requests, deadlines: lost when the coordinator moves) is moved along by `decide`.
extension GroupCoordinator: ReplicatedStateMachine {
  /// What `command` leads to: the records to append as one batch, and the answers to give when they are committed, maybe to
  /// requests of earlier commands that were parked. Refusals are answers here, each with its own token: it never throws.
  package func decide(
    _ command: GroupCommand, at wallClock: Timestamp
  ) throws(KafkaError) -> Decision<CoordinatorRecord, [GroupReply]> {
    let effects =
      switch command.event {
      case .request(let request, let version, let client, let token, let topics):
        handle(
          request, version: version, from: client, token: token, now: command.now, wallClock: wallClock,
          topics: topics)
      case .timersFired: timersFired(now: command.now, wallClock: wallClock)
      case .topicsDeleted(let names): topicsDeleted(names)
      }
    return Decision(records: effects.records, reply: effects.replies)
  }

  package func replay(_ record: CoordinatorRecord, at offset: Offset) {
    record.key.withUnsafeBytes { key in
      guard let value = record.value else { return replay(key: key, value: nil, at: offset) }
      value.withUnsafeBytes { replay(key: key, value: $0, at: offset) }
    }
  }
}
