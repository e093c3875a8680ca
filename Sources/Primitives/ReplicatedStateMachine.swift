/// A state machine whose only durable form is a log of records.
///
/// `decide` never changes what is durable; `replay` is its only mutation, and runs identically live, on load and on every
/// replica. The driver (Broker's ControllerHost and GroupHost) decides, appends, replays, and holds the reply until the
/// records are committed.
package protocol ReplicatedStateMachine {
  associatedtype Command
  associatedtype Record: Sendable
  associatedtype Reply

  /// What `command` leads to, given the present state.
  ///
  /// - Throws: the error the asker is told; nothing is appended then.
  func decide(_ command: Command, at now: Timestamp) throws(KafkaError) -> Decision<Record, Reply>

  /// Takes in one record that was appended at `offset`.
  mutating func replay(_ record: Record, at offset: Offset)
}

/// What a command leads to: records to append as one unit (none when nothing changes) and the answer to give once they
/// are committed.
package struct Decision<Record: Sendable, Reply> {
  package var records: [Record]
  package var reply: Reply
  package init(records: [Record] = [], reply: Reply) {
    self.records = records
    self.reply = reply
  }
}
