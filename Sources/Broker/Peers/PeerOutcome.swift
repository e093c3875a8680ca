internal import KafkaProtocol
internal import Primitives

/// The connections that a shard keeps to another broker, each with its own order: what waits long on one does not hold up
/// the other.
package enum PeerLane: String, CaseIterable, Sendable {
  /// Fetches, which wait at the leader until there is something to tell.
  case replication
  /// Everything else: AlterPartition, Envelope, heartbeats, elections.
  case control
}

/// What became of a request to another broker. Told once for each request, never from within `Shard.send`.
enum PeerOutcome {
  /// The answer. `frame` is the memory that `RecordsPayload.slice` fields of it refer to (`resolved(in:)`): good until the
  /// handler returns.
  case answer(Response, frame: UnsafeRawBufferPointer)
  case failed(PeerFailure)
}

/// Why there is no answer.
enum PeerFailure: Error, Hashable, Sendable {
  /// There is no such broker, no way to it, or this broker stops. The request was not sent.
  case unreachable
  /// The time is up. Where the request had been sent the connection is closed with it: the other broker may have acted on it.
  case timedOut
  /// The connection ended first. `sent` tells whether the whole request had left, so that the other broker may have acted.
  case disconnected(sent: Bool)
  /// What came back is no answer to it. The other broker may have acted.
  case badAnswer
  /// So much waits for that broker already that the request was not taken. Try again later, not at once.
  case queueFull
}

/// A request to another broker, encoded, and who waits for its answer.
struct PeerRequest {
  let correlationID: Int32
  let apiKey: APIKey
  let version: Int16
  /// The whole frame; consumed from its front as the network takes it.
  let frame: OutputBuffer
  let deadline: Instant
  /// The largest answer that is taken for one.
  let answerBytesMax: Int
  let handler: (PeerOutcome) -> Void
}

/// A request without an answer, on its way to its handler.
struct FailedPeerRequest {
  let handler: (PeerOutcome) -> Void
  let failure: PeerFailure
}
