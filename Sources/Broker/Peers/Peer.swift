internal import Effects
internal import KafkaProtocol
internal import Primitives

/// Which of a shard's connections to other brokers.
struct PeerKey: Hashable {
  let broker: BrokerID
  let lane: PeerLane
}

/// Where a broker is, and which run of it: a connection to another one is of no use any more.
struct PeerPlace: Equatable {
  let host: String
  let port: Int32
  let brokerEpoch: Int64
}

/// One connection of a shard to another broker: requests leave in the order given, and their answers come in that order.
///
/// Only bookkeeping: the shard (Shard+Peers.swift) makes and ends the connection, sets the timer, and calls the handlers.
final class Peer {
  enum State: Equatable {
    /// No connection, and none wanted before a request comes. Can become: connecting, backingOff (nobody knows where the
    /// broker is).
    case idle
    /// Can become: ready; backingOff (refused, or not there in time); idle (the broker has moved).
    case connecting(ConnectionID, until: Instant)
    /// Can become: backingOff (lost, a request timed out, garbage); idle (nothing to do for long, or the broker has moved).
    case ready(ConnectionID)
    /// Requests wait. Can become: idle, and from there connecting.
    case backingOff(until: Instant)
  }

  /// Requests that wait or have no answer yet, at most.
  static let requestsMax = 1024
  /// Bytes of requests that wait for the network, at most, beside the first of them.
  static let waitingBytesMax = 32 << 20
  /// A buffer larger than this is given back when it is empty.
  static let inputBytesKept = 4 << 20

  let key: PeerKey
  var state = State.idle
  /// Where the connection leads, or the last one led.
  var place: PeerPlace?
  var backoff = ReconnectBackoff()
  /// Not taken by the network yet, oldest first; of the first one part may be.
  private(set) var waiting: [PeerRequest] = []
  private(set) var waitingBytes = 0
  /// The network has taken all of them; no answer yet, oldest first.
  private(set) var inFlight: [PeerRequest] = []
  /// What was received and is not a whole frame yet.
  private(set) var input: OutputBuffer?
  var isOutputBlocked = false
  var isInFlushList = false
  var lastActivity: Instant
  /// Fires no later than `nextDeadline` while that is not nil.
  var timer: (id: TimerID, at: Instant)?
  private var nextCorrelationID: Int32 = 0

  init(_ key: PeerKey, now: Instant) {
    self.key = key
    lastActivity = now
  }

  var connectionID: ConnectionID? {
    switch state {
    case .connecting(let id, _), .ready(let id): id
    case .idle, .backingOff: nil
    }
  }

  var requestCount: Int { waiting.count + inFlight.count }

  // MARK: out

  /// Whether one more may wait.
  var hasRoom: Bool { requestCount < Self.requestsMax && waitingBytes < Self.waitingBytesMax }

  func add(_ request: PeerRequest) {
    waiting.append(request)
    waitingBytes += request.frame.count
  }

  func makeCorrelationID() -> Int32 {
    nextCorrelationID &+= 1
    return nextCorrelationID
  }

  /// Gives the network what it takes; false when the connection is broken.
  func write(to transport: any Transport) -> Bool {
    guard case .ready(let id) = state else { return true }
    while !isOutputBlocked, let request = waiting.first {
      let offered = request.frame.count
      guard case .accepted(let count) = transport.write(request.frame.bytes, to: id, moreFollows: waiting.count > 1)
      else { return false }
      request.frame.consume(count)
      waitingBytes -= count
      if count < offered { isOutputBlocked = true } else { inFlight.append(waiting.removeFirst()) }
    }
    return true
  }

  // MARK: in

  /// What is at the front of received bytes.
  enum Received {
    case incomplete
    /// The answer to the oldest request, which is no more in flight; `frame` is without its length.
    case answer(PeerRequest, Response, frame: UnsafeRawBufferPointer)
    /// No answer to anything; `why` is for the log.
    case garbage(why: String)
  }

  /// Looks at `bytes`, which begin with a frame's length.
  func takeAnswer(_ bytes: UnsafeRawBufferPointer) -> Received {
    guard let base = bytes.baseAddress, bytes.count >= 4 else { return .incomplete }
    guard let request = inFlight.first else { return .garbage(why: "bytes that nobody asked for") }
    let size = Int(base.bigEndian(Int32.self, at: 0))
    guard size >= 4 else { return .garbage(why: "a frame of \(size) bytes, less than a header") }
    guard size <= request.answerBytesMax else {
      return .garbage(
        why: "an answer to \(request.apiKey.name) of \(size) bytes, more than \(request.answerBytesMax)")
    }
    // Before all of it is there: the sender of something else is found out early.
    if bytes.count >= 8 {
      let correlationID = base.bigEndian(Int32.self, at: 4)
      guard correlationID == request.correlationID else {
        return .garbage(why: "an answer to request \(correlationID), where \(request.correlationID) was the next")
      }
    }
    guard bytes.count - 4 >= size else { return .incomplete }
    let frame = UnsafeRawBufferPointer(start: base + 4, count: size)
    var reader = Reader(frame)
    _ = reader.int32()
    if request.apiKey.responseHeaderVersion(for: request.version) == 1 { reader.skipTaggedFields() }
    let response = Response.decode(request.apiKey, version: request.version, from: &reader)
    if let failure = reader.failure { return .garbage(why: "an answer to \(request.apiKey.name): \(failure)") }
    guard reader.remaining == 0 else {
      return .garbage(why: "\(reader.remaining) bytes behind an answer to \(request.apiKey.name)")
    }
    inFlight.removeFirst()
    return .answer(request, response, frame: frame)
  }

  /// Keeps what is not a whole frame yet.
  func keep(_ bytes: UnsafeRawBufferPointer) {
    let input = input ?? OutputBuffer(capacity: max(4096, bytes.count))
    self.input = input
    input.append(bytes)
  }

  /// Takes handled bytes off what was kept.
  func consume(_ byteCount: Int) {
    guard let input else { return }
    input.consume(byteCount)
    input.reclaim()
    if input.isEmpty, input.capacity > Self.inputBytesKept { self.input = nil }
  }

  // MARK: endings

  /// Whether the time of something is up that has begun to leave.
  func hasBegunOverdue(at now: Instant) -> Bool {
    inFlight.contains { $0.deadline <= now } || waiting.first.map { $0.frame.start > 0 && $0.deadline <= now } ?? false
  }

  /// Forgets the connection, and takes out what had begun to leave on it, each with its failure: `oldest`, where given, for
  /// the oldest that is in flight; `.timedOut` for those whose time is up at `now`.
  func takeBegun(oldest: PeerFailure? = nil, now: Instant) -> [FailedPeerRequest] {
    var begun = inFlight.map { ($0, PeerFailure.disconnected(sent: true)) }
    if let oldest, !begun.isEmpty { begun[0].1 = oldest }
    inFlight.removeAll()
    if let request = waiting.first, request.frame.start > 0 {
      begun.append((request, .disconnected(sent: false)))
      waitingBytes -= request.frame.count
      waiting.removeFirst()
    }
    input = nil
    isOutputBlocked = false
    return begun.map { request, failure in
      let isOverdue = request.deadline <= now && failure != .badAnswer
      return FailedPeerRequest(handler: request.handler, failure: isOverdue ? .timedOut : failure)
    }
  }

  /// Takes out everything that waits and had not begun to leave.
  func takeWaiting(_ failure: PeerFailure) -> [FailedPeerRequest] {
    defer {
      waiting.removeAll()
      waitingBytes = 0
    }
    return waiting.map { FailedPeerRequest(handler: $0.handler, failure: failure) }
  }

  /// Takes out those whose time is up and that had not begun to leave.
  func takeOverdue(at now: Instant) -> [FailedPeerRequest] {
    let overdue = waiting.filter { $0.deadline <= now && $0.frame.start == 0 }
    guard !overdue.isEmpty else { return [] }
    waiting.removeAll { $0.deadline <= now && $0.frame.start == 0 }
    waitingBytes = waiting.reduce(0) { $0 + $1.frame.count }
    return overdue.map { FailedPeerRequest(handler: $0.handler, failure: .timedOut) }
  }

  // MARK: time

  /// When something is to be done without anything arriving; `idleMs` is how long a connection may have nothing to do.
  func nextDeadline(idleMs: Int64?) -> Instant? {
    let request = (waiting + inFlight).map(\.deadline).min()
    switch state {
    case .idle: return request
    case .connecting(_, let until), .backingOff(let until): return min(until, request ?? until)
    case .ready: return request ?? idleMs.map { lastActivity.advanced(byMilliseconds: $0) }
    }
  }
}
