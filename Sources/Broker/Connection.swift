internal import Effects
internal import KafkaProtocol
internal import Primitives

/// One client's connection: bytes that wait to be understood, requests that wait to be answered, answers that wait to be sent.
///
/// Requests are answered in the order they came. Produce requests overlap one another's waits; any other request starts only
/// when all before it have been answered, as in Kafka. Can become: closed, and then nothing else.
final class Connection {
  /// Produce requests of one connection that may wait at once; more stay in the kernel's buffer.
  static let producesInFlightMax = 256
  /// Bytes of records on their way to other shards from which no further produce request starts.
  static let inFlightBytesMax = 4 << 20
  /// Bytes of answers from which no request starts before they are sent: one read may hold thousands of small requests
  /// with large answers.
  static let outputBytesMax = 64 * 1024

  let id: ConnectionID
  let address: PeerAddress
  var identity: ClientIdentity
  /// The bytes of the client id that `identity` was made from: nearly every request repeats them.
  var clientIDBytes: [UInt8] = []

  /// What was received and not yet handled: part of a frame, or whole frames that may not start yet.
  var input: OutputBuffer?
  var isReadingPaused = false

  /// A request that has not been answered.
  struct InFlight {
    let sequence: UInt64
    let correlationID: Int32
    let apiKey: APIKey
    let version: Int16
    /// Set when the answer is there and must wait for an earlier one.
    var early: EncodedAnswer?
    /// Bytes of its records that were copied for another shard, and are held until it is answered.
    var heldBytes = 0
    /// Of a produce request for one partition: what its answer repeats.
    var produce: SingleProduce?
  }
  var inFlight: [InFlight] = []
  /// The sum of what the requests in flight hold.
  var inFlightBytes = 0
  var nextSequence: UInt64 = 0
  /// The fetch that waits for data, if the request in flight is one.
  var fetch: FetchWait?

  var output: OutputBuffer?
  /// File ranges to be sent between the bytes of `output`; positions are distances from its base.
  var files: [PendingFile] = []
  var filesSent = 0
  struct PendingFile {
    let bufferPosition: Int
    let range: FileRange
    var sent = 0
  }

  /// The network takes no more for now: no request starts until it has taken all there is.
  var isOutputBlocked = false
  var isInFlushList = false
  var isInResumeList = false
  var closesWhenFlushed = false
  var isClosed = false
  /// Shards that may hold a watch for a fetch of this connection, a bit each.
  var watchingShards: UInt64 = 0
  var lastActivity: Instant
  /// Set while the connection is open.
  var idleTimer: TimerID?
  /// Set while `fetch` waits.
  var fetchTimer: TimerID?
  /// When the last fetch was answered: the next one that comes was sent after that.
  var fetchAnsweredAt: Instant?

  init(id: ConnectionID, address: PeerAddress, now: Instant) {
    self.id = id
    self.address = address
    identity = ClientIdentity(clientID: "", address: address)
    lastActivity = now
  }

  /// Whether a request of this kind may start now.
  func mayStart(_ apiKey: Int16) -> Bool {
    if isOutputBlocked || closesWhenFlushed { return false }
    if let output, output.count >= Self.outputBytesMax { return false }
    if inFlight.isEmpty { return true }
    return apiKey == APIKey.produce.rawValue && inFlight.count < Self.producesInFlightMax
      && inFlightBytes < Self.inFlightBytesMax
      && inFlight.allSatisfy { $0.apiKey == .produce }
  }
}

/// An answer that is ready before its turn.
final class EncodedAnswer {
  let bytes: OutputBuffer
  let files: [Connection.PendingFile]
  init(bytes: OutputBuffer, files: [Connection.PendingFile]) {
    self.bytes = bytes
    self.files = files
  }
}
