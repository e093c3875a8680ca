internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives

/// Connections: bytes in, frames out of them, answers in order, bytes out.
extension Shard {
  /// A client has connected.
  package func opened(_ id: ConnectionID, _ address: PeerAddress) {
    while connections.count <= id.slot { connections.append(nil) }
    precondition(connections[id.slot] == nil, "slot \(id.slot) of shard \(index) is taken")
    guard !isStopping else { return environment.transport.close(id) }
    let connection = Connection(id: id, address: address, now: now)
    connections[id.slot] = connection
    openConnectionCount += 1
    environment.logger.debug("connection from \(address.host):\(address.port)")
    scheduleIdleTimer(connection, at: now.advanced(byMilliseconds: config.connectionsMaxIdleMs))
  }

  /// A negative connections.max.idle.ms lets connections idle for good.
  private func scheduleIdleTimer(_ connection: Connection, at deadline: Instant) {
    guard config.connectionsMaxIdleMs >= 0 else { return }
    connection.idleTimer = timers.schedule(.idle(connection.id), at: deadline)
  }

  func connection(_ id: ConnectionID) -> Connection? {
    guard id.slot < connections.count, let connection = connections[id.slot], connection.id == id else { return nil }
    return connection
  }

  /// The other side has gone, the network lost it, or a connection of ours has not come about.
  package func closed(_ id: ConnectionID) {
    if let connection = connection(id) { close(connection, why: nil) } else { peerClosed(id) }
  }

  /// Ends a connection; `why` is for the log, nil when it is nothing to mention.
  func close(_ connection: Connection, why: String?) {
    guard !connection.isClosed else { return }
    connection.isClosed = true
    environment.logger.debug("connection from \(connection.address.host):\(connection.address.port) ends")
    if let why { report("closing", connection, why) }
    requestBytesHeld -= (connection.input?.count ?? 0) + connection.inFlightBytes
    connection.inFlightBytes = 0
    connection.input = nil
    connection.fetch = nil
    connection.idleTimer.map { timers.cancel($0) }
    connection.fetchTimer.map { timers.cancel($0) }
    for shard in 0..<count where connection.watchingShards & (1 << UInt64(shard)) != 0 {
      if shard == index {
        forgetWatches(from: index, connection.id)
      } else {
        environment.links.send(.connectionGone(from: index, connection.id), to: shard)
      }
    }
    connections[connection.id.slot] = nil
    openConnectionCount -= 1
    environment.transport.close(connection.id)
    releaseMemoryWaiters()
  }

  /// At most one line a second: anybody can cause these.
  private func report(_ what: String, _ connection: Connection, _ why: String) {
    guard let leftOut = closingLine.admit(at: now) else { return }
    let others = leftOut > 0 ? " (and \(leftOut) more)" : ""
    environment.logger.info(
      "\(what) connection of \(connection.address.host):\(connection.address.port): \(why)\(others)")
  }

  /// Ends a connection whose client has sent what cannot be served. What it sent before is answered first: a producer must
  /// not lose sight of records that were stored. What comes after is not looked at.
  func end(_ connection: Connection, why: String) {
    guard !connection.isClosed, !connection.closesWhenFlushed else { return }
    if connection.inFlight.isEmpty, connection.output == nil { return close(connection, why: why) }
    report("ending", connection, why)
    connection.closesWhenFlushed = true
    markForFlush(connection)
  }

  /// Bytes from a client or another broker. All are taken: what cannot be handled yet is kept.
  package func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
    guard let connection = connection(id) else { return peerReceived(id, bytes) }
    connection.lastActivity = now
    if let input = connection.input, !input.isEmpty {
      input.append(bytes)
      requestBytesHeld += bytes.count
      handleInput(connection)
      return
    }
    let handled = handleFrames(connection, bytes)
    guard !connection.isClosed, handled < bytes.count else { return }
    keep(connection, UnsafeRawBufferPointer(rebasing: bytes[handled...]))
  }

  private func keep(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
    let input = connection.input ?? OutputBuffer(capacity: max(1024, bytes.count))
    connection.input = input
    input.append(bytes)
    requestBytesHeld += bytes.count
    throttle(connection)
  }

  /// Handles what is kept, as far as it may start.
  private func handleInput(_ connection: Connection) {
    guard let input = connection.input, !input.isEmpty else { return }
    let handled = handleFrames(connection, input.bytes)
    guard !connection.isClosed else { return }
    input.consume(handled)
    input.reclaim()
    requestBytesHeld -= handled
    if input.isEmpty { connection.input = nil }
    throttle(connection)
    releaseMemoryWaiters()
  }

  /// Stops reading while whole requests wait for their turn, or while requests fill the memory set aside for them.
  private func throttle(_ connection: Connection) {
    let waits = holdsWholeFrame(connection)
    let isCrowded = !waits && connection.input != nil && requestBytesHeld > memoryLimit(for: connection)
    if isCrowded, !memoryWaiters.contains(where: { $0 === connection }) {
      memoryWaiters.append(connection)
      if memoryTimer == nil {
        memoryTimer = timers.schedule(.memory, at: now.advanced(byMilliseconds: Self.memoryShortageMsMax))
      }
    }
    setReading(connection, paused: waits || isCrowded)
  }

  /// Small requests may go on a little beyond the limit, so that a few large ones that never end do not keep them out.
  private func memoryLimit(for connection: Connection) -> Int {
    guard requestBytesHeldMax < .max / 2, let input = connection.input, let base = input.bytes.baseAddress
    else { return requestBytesHeldMax }
    let isSmall = input.count < 4 || Int(base.bigEndian(Int32.self, at: 0)) <= requestBytesHeldMax / 32
    return isSmall ? requestBytesHeldMax + requestBytesHeldMax / 4 : requestBytesHeldMax
  }

  private func setReading(_ connection: Connection, paused: Bool) {
    guard connection.isReadingPaused != paused else { return }
    connection.isReadingPaused = paused
    if paused {
      environment.transport.pauseReading(connection.id)
    } else {
      environment.transport.resumeReading(connection.id)
    }
  }

  private func holdsWholeFrame(_ connection: Connection) -> Bool {
    guard let input = connection.input, input.count >= 4, let base = input.bytes.baseAddress else { return false }
    return input.count - 4 >= Int(base.bigEndian(Int32.self, at: 0))
  }

  func releaseMemoryWaiters() {
    guard !memoryWaiters.isEmpty, requestBytesHeld <= requestBytesHeldMax else { return }
    memoryTimer.map { timers.cancel($0) }
    memoryTimer = nil
    let waiters = memoryWaiters
    memoryWaiters.removeAll()
    for connection in waiters where !connection.isClosed { setReading(connection, paused: false) }
  }

  /// Memory has been short for too long: whoever holds most of a request that does not end must go, until there is room.
  func memoryTimerFired() {
    memoryTimer = nil
    memoryWaiters.removeAll { $0.isClosed }
    while requestBytesHeld > requestBytesHeldMax,
      let largest = memoryWaiters.max(by: { ($0.input?.count ?? 0, $1.id.value) < ($1.input?.count ?? 0, $0.id.value) })
    {
      memoryWaiters.removeAll { $0 === largest }
      close(largest, why: "requests hold \(requestBytesHeld) bytes, more than queued.max.request.bytes allows")
    }
    releaseMemoryWaiters()
  }

  func idleTimerFired(_ id: ConnectionID) {
    guard let connection = connection(id) else { return }
    let deadline = connection.lastActivity.advanced(byMilliseconds: config.connectionsMaxIdleMs)
    if deadline <= now, connection.inFlight.isEmpty {
      close(connection, why: "idle for \(config.connectionsMaxIdleMs) ms (connections.max.idle.ms)")
    } else {
      scheduleIdleTimer(connection, at: max(deadline, now.advanced(byMilliseconds: 1000)))
    }
  }

  /// Most bytes of any request but Produce: some hundred thousand partitions.
  private static let plainRequestBytesMax = 16 << 20

  /// Handles the whole frames at the start of `bytes` that may start now. Returns how many bytes they took.
  private func handleFrames(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    if connection.closesWhenFlushed { return bytes.count }
    var position = 0
    while bytes.count &- position >= 4 {
      let size = Int(base.bigEndian(Int32.self, at: position))
      // The smallest request header is 8 bytes: key, version, correlation id.
      guard size >= 8, size <= Int(config.socketRequestMaxBytes) else {
        end(connection, why: Self.badFrame(size, limit: Int(config.socketRequestMaxBytes)))
        return bytes.count
      }
      // What holds no records is small: a few bytes of it can become much more in memory.
      if size > Self.plainRequestBytesMax, bytes.count &- position >= 6,
        base.bigEndian(Int16.self, at: position + 4) != APIKey.produce.rawValue
      {
        end(connection, why: "a request without records of \(size) bytes, more than \(Self.plainRequestBytesMax)")
        return bytes.count
      }
      guard bytes.count &- position &- 4 >= size else { break }
      guard connection.mayStart(base.bigEndian(Int16.self, at: position + 4)) else { break }
      handle(UnsafeRawBufferPointer(start: base + position + 4, count: size), from: connection)
      if connection.isClosed || connection.closesWhenFlushed { return bytes.count }
      position &+= 4 &+ size
    }
    return position
  }

  private static func badFrame(_ size: Int, limit: Int) -> String {
    switch size {
    case 0x1603_0000...0x1603_ffff: "a TLS handshake on a listener without TLS"
    case 0x4745_5420, 0x504f_5354, 0x4845_4144, 0x5055_5420: "an HTTP request; this port speaks the Kafka protocol"
    case ..<8: "a frame of \(size) bytes, less than a request header"
    default: "a frame of \(size) bytes, more than socket.request.max.bytes = \(limit)"
    }
  }

  /// Lets connections go on that waited for answers or for the network.
  func resumeConnections() {
    let list = resumeList
    resumeList.removeAll(keepingCapacity: true)
    for connection in list {
      connection.isInResumeList = false
      guard !connection.isClosed else { continue }
      if connection.input == nil { setReading(connection, paused: false) } else { handleInput(connection) }
    }
  }

  private func markForResume(_ connection: Connection) {
    guard !connection.isInResumeList, connection.input != nil || connection.isReadingPaused else { return }
    connection.isInResumeList = true
    resumeList.append(connection)
  }

  // MARK: answers

  /// Sends `response` to whoever asked. Each request is answered once.
  func reply(_ address: ReplyAddress, _ response: Response) {
    switch address {
    case .connection(let id, let sequence):
      guard let connection = connection(id) else { return }
      answer(connection, sequence, response, files: [], source: nil)
    case .shard(let shard, let token): environment.links.send(.response(token, response), to: shard)
    case .part(let token, let part): gathered(token, part, response)
    }
  }

  /// Puts an answer into its connection's output, or aside when an earlier request still waits.
  ///
  /// - Parameter files: the external parts of the response, in the order of its encoding.
  /// - Parameter source: memory that `RecordsPayload.slice` fields of the response refer to.
  func answer(
    _ connection: Connection, _ sequence: UInt64, _ response: Response, files: [FileRange],
    source: UnsafeRawBufferPointer?
  ) {
    guard let place = connection.inFlight.firstIndex(where: { $0.sequence == sequence }) else { return }
    let request = connection.inFlight[place]
    guard place == 0 else {
      let buffer = OutputBuffer()
      guard let placed = Self.encode(response, request, into: buffer, files: files, source: source) else {
        return close(connection, why: "an answer to \(request.apiKey.name) is too large")
      }
      connection.inFlight[place].early = EncodedAnswer(bytes: buffer, files: placed)
      release(request, of: connection)
      connection.inFlight[place].heldBytes = 0
      return
    }
    let output = outputBuffer(of: connection)
    guard let placed = Self.encode(response, request, into: output, files: files, source: source) else {
      return close(connection, why: "an answer to \(request.apiKey.name) is too large")
    }
    connection.files += placed
    release(request, of: connection)
    connection.inFlight.removeFirst()
    releaseEarlyAnswers(connection)
  }

  /// The latest request of a connection holds memory until it is answered.
  func hold(_ byteCount: Int, for connection: Connection) {
    connection.inFlight[connection.inFlight.count - 1].heldBytes += byteCount
    connection.inFlightBytes += byteCount
    requestBytesHeld += byteCount
  }

  private func release(_ request: Connection.InFlight, of connection: Connection) {
    guard request.heldBytes > 0 else { return }
    connection.inFlightBytes -= request.heldBytes
    requestBytesHeld -= request.heldBytes
    releaseMemoryWaiters()
  }

  /// A request that gets no answer (acks=0) has been handled.
  func finishWithoutAnswer(_ connection: Connection, _ sequence: UInt64) {
    if let place = connection.inFlight.firstIndex(where: { $0.sequence == sequence }) {
      release(connection.inFlight.remove(at: place), of: connection)
    }
    releaseEarlyAnswers(connection)
  }

  private func releaseEarlyAnswers(_ connection: Connection) {
    // Whoever has waited long for an answer is not idle at the moment it comes.
    connection.lastActivity = now
    while let answer = connection.inFlight.first?.early {
      let output = outputBuffer(of: connection)
      let distance = output.end - answer.bytes.start
      output.append(answer.bytes.bytes)
      for file in answer.files {
        connection.files.append(.init(bufferPosition: file.bufferPosition + distance, range: file.range))
      }
      connection.inFlight.removeFirst()
    }
    markForFlush(connection)
    markForResume(connection)
  }

  private func outputBuffer(of connection: Connection) -> OutputBuffer {
    if let output = connection.output { return output }
    let output = buffers.popLast() ?? OutputBuffer(capacity: 4096)
    connection.output = output
    return output
  }

  /// What the four bytes of a frame's length can say.
  private static let answerBytesMax = Int(Int32.max)

  /// Encodes one framed answer; returns the files with the places where they belong, nil when it is too large to be sent.
  private static func encode(
    _ response: Response, _ request: Connection.InFlight, into buffer: OutputBuffer,
    files: [FileRange], source: UnsafeRawBufferPointer?
  ) -> [Connection.PendingFile]? {
    let start = buffer.end
    var writer = Writer(buffer)
    writer.source = source
    writer.int32(0)
    writer.int32(request.correlationID)
    if request.apiKey.responseHeaderVersion(for: request.version) == 1 { writer.int8(0) }
    response.encode(into: &writer, version: request.version)
    let external = writer.cuts.reduce(0) { $0 + $1.byteCount }
    let size = buffer.end - start - 4 + external
    guard size <= answerBytesMax else { return nil }
    buffer.base.storeBigEndian(Int32(size), at: start)
    precondition(writer.cuts.count == files.count, "\(writer.cuts.count) external parts, \(files.count) files")
    return zip(writer.cuts, files).map { .init(bufferPosition: $0.bufferPosition, range: $1) }
  }

  // MARK: sending

  func markForFlush(_ connection: Connection) {
    guard !connection.isInFlushList else { return }
    connection.isInFlushList = true
    flushList.append(connection)
  }

  /// The network takes bytes of this connection again.
  package func writable(_ id: ConnectionID) {
    guard let connection = connection(id) else { return peerWritable(id) }
    guard connection.isOutputBlocked else { return }
    connection.isOutputBlocked = false
    markForFlush(connection)
  }

  func flushConnections() {
    let sending = sendingList
    sendingList.removeAll(keepingCapacity: true)
    for connection in sending { markForFlush(connection) }
    var position = 0
    while position < flushList.count {
      let connection = flushList[position]
      connection.isInFlushList = false
      if !connection.isClosed, !connection.isOutputBlocked { flush(connection) }
      position += 1
    }
    flushList.removeAll(keepingCapacity: true)
  }

  private func flush(_ connection: Connection) {
    guard let output = connection.output else { return finishFlush(connection) }
    while true {
      let hasFile = connection.filesSent < connection.files.count
      let end = hasFile ? connection.files[connection.filesSent].bufferPosition : output.end
      if output.start < end {
        let bytes = UnsafeRawBufferPointer(start: output.base + output.start, count: end - output.start)
        guard case .accepted(let count) = environment.transport.write(bytes, to: connection.id, moreFollows: hasFile)
        else { return close(connection, why: nil) }
        output.start += count
        if count < bytes.count {
          connection.isOutputBlocked = true
          return
        }
      } else if hasFile {
        guard sendFile(connection) else { return }
      } else {
        break
      }
    }
    output.removeAll()
    connection.files.removeAll()
    connection.filesSent = 0
    connection.output = nil
    if buffers.count < 64, output.capacity <= 64 * 1024 { buffers.append(output) }
    finishFlush(connection)
  }

  private func finishFlush(_ connection: Connection) {
    if connection.closesWhenFlushed, connection.inFlight.isEmpty { return close(connection, why: nil) }
    markForResume(connection)
  }

  /// So much of a file is sent to one connection before the others have their turn.
  private static let filePortionBytesMax = 256 << 10

  /// Sends from the file at the front; true when it is done.
  private func sendFile(_ connection: Connection) -> Bool {
    let file = connection.files[connection.filesSent]
    let position = file.range.position + Int64(file.sent)
    let rest = file.range.byteCount - file.sent
    let portion = min(rest, Self.filePortionBytesMax)
    let outcome = environment.transport.write(
      file.range.file, from: position, byteCount: portion, to: connection.id)
    guard case .accepted(let count) = outcome else {
      close(connection, why: nil)
      return false
    }
    connection.files[connection.filesSent].sent += count
    if count < portion {
      connection.isOutputBlocked = true
      return false
    }
    if count < rest {
      sendingList.append(connection)
      return false
    }
    connection.filesSent += 1
    return true
  }
}
