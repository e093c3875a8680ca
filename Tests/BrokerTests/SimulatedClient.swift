import Effects
import KafkaProtocol
import Primitives
import Testing

@testable import Broker

/// An answer as its client got it.
struct Answer {
  let response: Response
  let version: Int16
  /// The memory that `RecordsPayload.slice` fields of the response refer to.
  let frame: [UInt8]
}

/// One client and its connection, both ends: what it sent waits in `outgoing`, what it was sent becomes `answers`.
final class SimulatedClient {
  let id: ConnectionID
  let shard: Int
  /// Sent, not yet handed to the broker: the kernel's buffer.
  var outgoing: [UInt8] = []
  var isPaused = false
  var isClosed = false
  /// Bytes the network takes now; nil for any number.
  var roomByteCount: Int?
  var fails = false
  /// What comes back is not looked at: for clients that send anything.
  var ignoresAnswers = false
  /// The broker was told that there is no more room.
  private(set) var isFull = false
  private var incoming: [UInt8] = []
  private(set) var bytesReceivedCount = 0
  private(set) var answers: [Answer] = []
  private var takenCount = 0
  private struct Expected {
    let correlationID: Int32
    let key: APIKey
    let version: Int16
  }
  private var expected: [Expected] = []
  private var nextCorrelationID: Int32 = 100

  init(id: ConnectionID, shard: Int) {
    self.id = id
    self.shard = shard
  }

  /// How many requests have not been answered.
  var waitingCount: Int { expected.count }

  // MARK: sending

  /// Sends a request; its answer is expected unless it is a produce with acks=0.
  func send(_ request: Request, version: Int16, key: APIKey) {
    if case .produce(let body) = request, body.acks == 0 {} else { expect(key, version) }
    outgoing += frame(request, version: version, key: key)
    nextCorrelationID += 1
  }

  /// A whole frame, length first, with the next correlation id.
  func frame(_ request: Request, version: Int16, key: APIKey) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    writer.int32(0)
    RequestHeader(
      requestApiKey: key.rawValue, requestApiVersion: version, correlationId: nextCorrelationID, clientId: "walker"
    ).encode(into: &writer, version: key.requestHeaderVersion(for: version))
    request.encode(into: &writer, version: version)
    buffer.base.storeBigEndian(Int32(buffer.end - 4), at: 0)
    return Array(buffer.bytes)
  }

  func expect(_ key: APIKey, _ version: Int16) {
    expected.append(Expected(correlationID: nextCorrelationID, key: key, version: version))
  }

  // MARK: receiving

  /// Answers since the last call.
  func take() -> [Answer] {
    defer { takenCount = answers.count }
    return Array(answers[takenCount...])
  }

  /// The one answer since the last call.
  func takeOne(_ location: SourceLocation = #_sourceLocation) throws -> Answer {
    let taken = take()
    try #require(taken.count == 1, "expected one answer, got \(taken.count)", sourceLocation: location)
    return taken[0]
  }

  /// How many of `count` offered bytes the network takes.
  func room(for count: Int) -> Int {
    guard let room = roomByteCount else { return count }
    let taken = min(room, count)
    roomByteCount = room - taken
    if taken < count { isFull = true }
    return taken
  }

  /// Makes room; true when the broker is to be told.
  func drain(_ byteCount: Int?) -> Bool {
    roomByteCount = byteCount
    defer { isFull = false }
    return isFull
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    bytesReceivedCount += bytes.count
    if ignoresAnswers { return }
    incoming += bytes
    while let frame = takeFrame() { understand(frame) }
  }

  private func takeFrame() -> [UInt8]? {
    guard incoming.count >= 4 else { return nil }
    let size = incoming[..<4].reduce(0) { $0 << 8 | Int($1) }
    guard incoming.count >= 4 + size else { return nil }
    let frame = Array(incoming[4..<4 + size])
    incoming.removeFirst(4 + size)
    return frame
  }

  private func understand(_ frame: [UInt8]) {
    guard let next = expected.first else {
      Issue.record("an answer that nobody waits for: \(frame.prefix(32))")
      return
    }
    expected.removeFirst()
    frame.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      let correlationID = reader.int32()
      #expect(correlationID == next.correlationID, "answers must come in the order of the requests")
      if next.key.responseHeaderVersion(for: next.version) == 1 { reader.skipTaggedFields() }
      let response = Response.decode(next.key, version: next.version, from: &reader)
      #expect(reader.failure == nil && reader.remaining == 0, "\(next.key.name) \(next.version) is not readable")
      answers.append(Answer(response: response, version: next.version, frame: frame))
    }
  }
}

/// The network of one shard.
final class SimulatedNetwork: Transport {
  var clients: [ConnectionID: SimulatedClient] = [:]
  /// The way to other brokers; without it there is none.
  var brokers: SimulatedBrokerNetworkEnd?

  private let makeID: () -> ConnectionID
  /// Where a test plays the other broker: connections of ours, in their order, and what was written to each.
  var isPlayed = false
  var dialled: [ConnectionID] = []
  var written: [ConnectionID: [UInt8]] = [:]
  /// How many bytes a played broker takes of each write; nil for all.
  var playedRoom: Int?
  /// Connections of ours that lead nowhere: the shard is to be told.
  var failedConnects: [ConnectionID] = []

  init(makeID: @escaping () -> ConnectionID) { self.makeID = makeID }

  func connect(to host: String, port: Int32) -> ConnectionID {
    let id = makeID()
    if isPlayed {
      dialled.append(id)
      written[id] = []
    } else if let brokers {
      brokers.connect(id, to: host, port: port)
    } else {
      failedConnects.append(id)
    }
    return id
  }

  func write(_ bytes: UnsafeRawBufferPointer, to connection: ConnectionID, moreFollows: Bool) -> WriteOutcome {
    if written[connection] != nil {
      let count = min(bytes.count, playedRoom ?? .max)
      playedRoom = playedRoom.map { $0 - count }
      written[connection]? += bytes[..<count]
      return .accepted(count)
    }
    if clients[connection] == nil, let brokers { return brokers.write(bytes, to: connection) }
    guard let client = clients[connection], !client.isClosed, !client.fails else { return .failed }
    let count = client.room(for: bytes.count)
    client.receive(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    return .accepted(count)
  }

  func write(_ file: any File, from position: Int64, byteCount: Int, to connection: ConnectionID) -> WriteOutcome {
    let client = clients[connection]
    if client == nil, let brokers {
      guard let bytes = Self.read(file, from: position, byteCount) else { return .failed }
      return bytes.withUnsafeBytes { brokers.write($0, to: connection) }
    }
    guard let client, !client.isClosed, !client.fails else { return .failed }
    let count = client.room(for: byteCount)
    guard let bytes = Self.read(file, from: position, count) else { return .failed }
    bytes.withUnsafeBytes { client.receive($0) }
    return .accepted(count)
  }

  private static func read(_ file: any File, from position: Int64, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = bytes.withUnsafeMutableBytes { buffer in (try? file.read(into: buffer, at: position)) ?? -1 }
    return read == count ? bytes : nil
  }

  func close(_ connection: ConnectionID) {
    clients[connection]?.isClosed = true
    clients[connection] = nil
    written[connection] = nil
    brokers?.close(connection)
  }
  func pauseReading(_ connection: ConnectionID) { setReading(connection, isPaused: true) }
  func resumeReading(_ connection: ConnectionID) { setReading(connection, isPaused: false) }

  private func setReading(_ connection: ConnectionID, isPaused: Bool) {
    clients[connection]?.isPaused = isPaused
    brokers?.setPaused(connection, isPaused)
  }
}
