package import KafkaProtocol
package import Primitives

/// Who sent a request, as DescribeGroups shows it.
package struct GroupClient: Sendable, Equatable {
  package let clientID: String
  /// The address in Kafka's way of writing: `/127.0.0.1`.
  package let clientHost: String
  package init(clientID: String, clientHost: String) {
    self.clientID = clientID
    self.clientHost = clientHost
  }
}

/// An answer to a request that came in now or was parked earlier.
package struct GroupReply: Sendable {
  package let token: RequestToken
  /// What to send once the records of the same effects are committed.
  package let response: Response
  /// What to send instead when their append fails, or that of an earlier step whose replayed records this answer shows.
  package let onFailure: Response
  package init(token: RequestToken, response: Response, onFailure: Response) {
    self.token = token
    self.response = response
    self.onFailure = onFailure
  }
}

/// What one step of the coordinator leads to.
///
/// The driver appends `records` as one batch, hands each to `replay` at once, and sends the replies when the batch is
/// committed. Replies without records wait for the batches before them too: they may show what those changed. A request
/// without a reply here is parked: its reply comes in the effects of a later step.
package struct GroupEffects: Sendable {
  package var records: [CoordinatorRecord] = []
  package var replies: [GroupReply] = []
  package init() {}
  package var isEmpty: Bool { records.isEmpty && replies.isEmpty }
}

/// One step while it is taken: its time, and what it leads to so far.
struct Step {
  let now: Instant
  let wallClock: Timestamp
  private(set) var effects = GroupEffects()
  /// About what the records take in a batch.
  private(set) var recordBytes = 0

  init(now: Instant, wallClock: Timestamp) {
    self.now = now
    self.wallClock = wallClock
  }

  mutating func append(_ record: CoordinatorRecord) {
    effects.records.append(record)
    recordBytes += record.batchBytes
  }

  mutating func answer(_ token: RequestToken, _ response: Response, onFailure: Response) {
    effects.replies.append(GroupReply(token: token, response: response, onFailure: onFailure))
  }

  /// An answer that stays true whether or not records are committed: a refusal.
  mutating func answer(_ token: RequestToken, _ response: Response) {
    answer(token, response, onFailure: response)
  }
}

/// A request that awaits its answer, and the version to answer in.
struct Asker: Equatable {
  let token: RequestToken
  let version: Int16
}
