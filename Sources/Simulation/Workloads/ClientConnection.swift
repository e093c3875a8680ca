internal import KafkaProtocol
internal import Primitives

/// What came back for a request.
struct ClientAnswer {
  let response: Response
  /// The memory that `RecordsPayload.slice` fields of the response refer to.
  let frame: [UInt8]
}

/// A client's connection to one broker. Requests wait until it has come about; when it ends, or an answer does not come in
/// time, everything that waits hears nothing more (`nil`).
final class ClientConnection: Hashable {
  private struct Expected {
    let correlationID: Int32
    let key: APIKey
    let version: Int16
    let handler: (ClientAnswer?) -> Void
  }

  private unowned let simulator: ClusterSimulator
  /// The client's number: below zero.
  let party: Int32
  let broker: BrokerID
  private(set) var isOpen = true
  private var isConnected = false
  private var outgoing: [UInt8] = []
  private var incoming: [UInt8] = []
  private var expected: [Expected] = []
  private var lastCorrelationID: Int32 = 0

  init(_ simulator: ClusterSimulator, party: Int32, to node: Machine) {
    self.simulator = simulator
    self.party = party
    broker = node.id
    simulator.network.dial(.client(self), to: node.host)
  }

  static func == (left: ClientConnection, right: ClientConnection) -> Bool { left === right }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

  /// How many requests have not been answered.
  var waitingCount: Int { expected.count }

  func send(_ request: Request, version: Int16, timeoutMs: Int64, _ handler: @escaping (ClientAnswer?) -> Void) {
    guard isOpen else { return simulator.call("no connection") { handler(nil) } }
    lastCorrelationID += 1
    let number = lastCorrelationID
    let key = request.apiKey
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    writer.int32(0)
    RequestHeader(
      requestApiKey: key.rawValue, requestApiVersion: version, correlationId: number, clientId: "client\(-party)"
    ).encode(into: &writer, version: key.requestHeaderVersion(for: version))
    request.encode(into: &writer, version: version)
    buffer.base.storeBigEndian(Int32(buffer.end - 4), at: 0)
    expected.append(Expected(correlationID: number, key: key, version: version, handler: handler))
    if isConnected { write(buffer.bytes) } else { outgoing += buffer.bytes }
    simulator.call("timeout", inMs: timeoutMs) { [weak self] in self?.timeOut(number) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    // Clients send little: what the window does not take ends the connection.
    let count = simulator.network.write(bytes, .client(self))
    if count != bytes.count { close() }
  }

  private func timeOut(_ correlationID: Int32) {
    if expected.contains(where: { $0.correlationID == correlationID }) { close() }
  }

  /// Ends it. Whoever waits hears so.
  func close() {
    guard isOpen else { return }
    simulator.network.close(.client(self))
    ended()
  }

  // MARK: what the network says

  func connected() {
    isConnected = true
    let bytes = outgoing
    outgoing = []
    if !bytes.isEmpty { bytes.withUnsafeBytes { write($0) } }
  }

  func ended() {
    guard isOpen else { return }
    isOpen = false
    simulator.network.close(.client(self))
    let waiting = expected
    expected = []
    for one in waiting { one.handler(nil) }
  }

  func receive(_ bytes: [UInt8]) {
    guard isOpen else { return }
    incoming += bytes
    var position = 0
    while incoming.count - position >= 4 {
      let size = incoming[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard incoming.count - position >= 4 + size else { break }
      let frame = Array(incoming[position + 4..<position + 4 + size])
      position += 4 + size
      understand(frame)
      guard isOpen else { return }
    }
    incoming.removeFirst(position)
  }

  private func understand(_ frame: [UInt8]) {
    guard let next = expected.first else {
      return simulator.checkers.violate("M2", "client \(-party) got an answer that it did not ask for")
    }
    expected.removeFirst()
    let response = frame.withUnsafeBytes { bytes -> Response? in
      var reader = Reader(bytes)
      guard reader.int32() == next.correlationID else { return nil }
      if next.key.responseHeaderVersion(for: next.version) == 1 { reader.skipTaggedFields() }
      let response = Response.decode(next.key, version: next.version, from: &reader)
      return reader.failure == nil && reader.remaining == 0 ? response : nil
    }
    guard let response else {
      return simulator.checkers.violate("M2", "client \(-party) cannot read an answer to \(next.key.name)")
    }
    next.handler(ClientAnswer(response: response, frame: frame))
  }
}
