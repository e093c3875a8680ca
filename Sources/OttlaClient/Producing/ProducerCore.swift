internal import CLibrdkafka
internal import Synchronization

/// The part of a producer that its thread keeps alive: librdkafka's client, and those who wait for something of it.
final class ProducerCore: Sendable {
  /// A topic as librdkafka knows it: the bits of a pointer that lives as long as the client.
  private struct Topics {
    var handles: [String: UInt] = [:]
    var lastName = ""
    var lastHandle: UInt = 0
  }
  private struct Ending {
    var deadline: ContinuousClock.Instant?
    var remaining: Int?
    var waiters: [CheckedContinuation<Int, Never>] = []
  }

  let handle: LibraryHandle
  let events: ClientEvents
  let room: Bell
  private let listeners = DeliveryListeners()
  private let settled: SettledDeliveries
  private let reports: DeliveryReports
  private let topics = Mutex(Topics())
  private let ending = Mutex(Ending())
  private let firstContactTimeout: Duration?

  init(_ configuration: ProducerConfiguration) throws(ClientError) {
    let list = try configuration.properties()
    let health = ClientHealth(bootstrapServers: configuration.bootstrapServers, onError: configuration.onError)
    let room = Bell()
    settled = SettledDeliveries(listeners)
    reports = DeliveryReports(room: room, health: health, settled: settled)
    events = ClientEvents(health: health, onStatistics: configuration.onStatistics)
    self.room = room
    firstContactTimeout =
      configuration.firstContactTimeoutMs > 0 ? .milliseconds(configuration.firstContactTimeoutMs) : nil
    let made = try list.makeConfiguration()
    events.watch(made)
    // Delivery reports come as events, a partition's at a time; so does all else then.
    rd_kafka_conf_set_events(made, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS)
    handle = LibraryHandle(try PropertyList.makeHandle(RD_KAFKA_PRODUCER, made))
    do throws(ClientError) {
      try LibraryThread.start { self.run() }
    } catch {
      if let pointer = handle.pointer { rd_kafka_destroy(pointer) }
      throw error
    }
  }

  /// Gives one record to librdkafka, which copies it. Never waits.
  func produce(_ record: ProducerRecord, _ listener: Delivery.Listener?) throws(ProducerError) {
    // librdkafka takes 0 for "now": better refused than changed.
    if let timestamp = record.timestamp, timestamp <= 0 {
      throw .rejected(
        .invalidValue(property: "timestamp", value: "\(timestamp)", reason: "it must be behind the start of 1970"))
    }
    let code = try handle.use(closed: ProducerError.closed) { (client) throws(ProducerError) -> rd_kafka_resp_err_t in
      if settled.records > 0 { free() }
      let topic = try self.topic(record.topic, client)
      // librdkafka takes the pointer only with the record.
      var opaque: UnsafeMutableRawPointer?
      if let listener { opaque = listeners.keep(listener) }
      let code = Self.produce(record, client, topic, opaque)
      if code != RD_KAFKA_RESP_ERR_NO_ERROR {
        if let opaque { listeners.forget([.init(place: UInt(bitPattern: opaque), records: 1)]) }
      }
      return code
    }
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
    if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { throw .queueFull }
    throw .rejected(
      events.health.fatal
        ?? ClientError(code, "sending a record", topic: record.topic, partition: record.partition))
  }

  /// Gives memory back, and with it room.
  private func free() {
    let freed = settled.free()
    if freed > 0 { room.ring(freed) }
  }

  private static func produce(
    _ record: ProducerRecord, _ client: OpaquePointer, _ topic: OpaquePointer, _ opaque: UnsafeMutableRawPointer?
  ) -> rd_kafka_resp_err_t {
    record.key.withPointer { key, keyCount in
      record.value.withPointer { value, valueCount in
        let partition = record.partition ?? -1
        if record.headers.isEmpty, record.timestamp == nil {
          let result = rd_kafka_produce(
            topic, partition, Int32(RD_KAFKA_MSG_F_COPY), UnsafeMutableRawPointer(mutating: value), valueCount, key,
            keyCount, opaque)
          return result == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error()
        }
        let headers = headerList(record.headers)
        let code = ottla_rdkafka_produce(
          client, topic, partition, key, keyCount, value, valueCount, headers, record.timestamp ?? -1, opaque)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR, let headers { rd_kafka_headers_destroy(headers) }
        return code
      }
    }
  }

  private static func headerList(_ headers: [Header]) -> OpaquePointer? {
    guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
    for header in headers {
      header.value.withPointer { value, count in _ = rd_kafka_header_add(list, header.name, -1, value, count) }
    }
    return list
  }

  private func topic(_ name: String, _ client: OpaquePointer) throws(ProducerError) -> OpaquePointer {
    let bits = topics.withLock { topics -> UInt in
      if topics.lastHandle != 0, topics.lastName == name { return topics.lastHandle }
      let handle = topics.handles[name] ?? UInt(bitPattern: rd_kafka_topic_new(client, name, nil))
      guard handle != 0 else { return 0 }
      topics.handles[name] = handle
      (topics.lastName, topics.lastHandle) = (name, handle)
      return handle
    }
    guard let topic = OpaquePointer(bitPattern: bits) else {
      throw .rejected(ClientError(rd_kafka_last_error(), "opening a topic", topic: name))
    }
    return topic
  }

  /// Records taken and neither acknowledged nor given up.
  var waiting: Int { (try? handle.use { max(0, Int(rd_kafka_outq_len($0)) - settled.records) }) ?? 0 }

  /// Lets what waits go out at once; nil after the end, else how many are left when the time is up. Blocks.
  func flush(_ limit: Duration) -> Int? {
    try? handle.use { client in
      rd_kafka_flush(client, limit.wholeMilliseconds)
      return Int(rd_kafka_outq_len(client))
    }
  }
}

extension ProducerCore {
  /// Takes no more records, and lets what waits go out until `deadline`.
  ///
  /// - Returns: how many were given up at the deadline.
  func close(by deadline: ContinuousClock.Instant) async -> Int {
    requestClose(by: deadline)
    return await withCheckedContinuation { continuation in
      let known = ending.withLock { ending -> Int? in
        if ending.remaining == nil { ending.waiters.append(continuation) }
        return ending.remaining
      }
      if let known { continuation.resume(returning: known) }
    }
  }

  /// The first deadline counts.
  func requestClose(by deadline: ContinuousClock.Instant) {
    ending.withLock { if $0.deadline == nil { $0.deadline = deadline } }
    // The thread waits for events: a yield is one. Inside `use`, for the thread destroys the client once nobody is in.
    try? handle.use { client in
      guard handle.shut(), let queue = rd_kafka_queue_get_main(client) else { return }
      rd_kafka_queue_yield(queue)
      rd_kafka_queue_destroy(queue)
    }
    room.ringAll()
  }

  /// The thread's whole life.
  private func run() {
    guard let client = handle.pointer, let queue = rd_kafka_queue_get_main(client) else { return }
    let began = ContinuousClock.now
    var isKnown = false
    while handle.isOpen {
      if !serve(client, queue, 100) { room.ringAll() }
      if !isKnown { isKnown = handle.hasReachedBroker }
      if !isKnown { giveUpIfHopeless(client, since: began) }
    }
    let remaining = finish(client, queue)
    let waiters = ending.withLock { ending in
      ending.remaining = remaining
      defer { ending.waiters = [] }
      return ending.waiters
    }
    for waiter in waiters { waiter.resume(returning: remaining) }
  }

  /// Before a first broker was reached nothing can be on its way: what waits is given up where the reason will not pass.
  private func giveUpIfHopeless(_ client: OpaquePointer, since began: ContinuousClock.Instant) {
    guard rd_kafka_outq_len(client) > 0 else { return }
    let isRefused = events.health.isRefused
    let isLate = firstContactTimeout.map { ContinuousClock.now - began > $0 } ?? false
    if isRefused || isLate { rd_kafka_purge(client, Int32(RD_KAFKA_PURGE_F_QUEUE)) }
  }

  /// Serves one event, which may take so long to come; false where none came.
  private func serve(_ client: OpaquePointer, _ queue: OpaquePointer, _ limitMs: Int32) -> Bool {
    // Who sends frees what was told; where nobody does, it is freed as soon as nothing else comes.
    let limit = settled.records > 0 ? min(limitMs, Self.freeingMs) : limitMs
    guard let event = rd_kafka_queue_poll(queue, limit) else {
      free()
      return false
    }
    if rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
      reports.serve(event)
    } else {
      events.serve(event, client)
    }
    return true
  }

  /// How long what was told waits for somebody who sends, in milliseconds.
  private static let freeingMs: Int32 = 5

  /// Lets what waits go out until the deadline, then gives it up; the last one out ends the client.
  private func finish(_ client: OpaquePointer, _ queue: OpaquePointer) -> Int {
    let deadline = ending.withLock { $0.deadline } ?? ContinuousClock.now
    var remaining = waiting(client, queue)
    while remaining > 0, ContinuousClock.now < deadline {
      // librdkafka hurries while it is in here, and counts nothing down: that is done between.
      rd_kafka_flush(client, min(Self.freeingMs, (deadline - ContinuousClock.now).wholeMilliseconds))
      remaining = waiting(client, queue)
    }
    if remaining > 0 {
      rd_kafka_purge(client, Int32(RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT))
      while waiting(client, queue) > 0 { _ = serve(client, queue, 100) }
    }
    // A reader that came in before the end may still be inside; it never waits there for long.
    while !handle.isUnused { _ = serve(client, queue, 1) }
    rd_kafka_queue_destroy(queue)
    let handles = topics.withLock { $0.handles.sorted { $0.key < $1.key }.map(\.value) }
    for bits in handles { if let topic = OpaquePointer(bitPattern: bits) { rd_kafka_topic_destroy(topic) } }
    rd_kafka_destroy(client)
    return remaining
  }

  /// How many records wait once all that came is served and freed.
  private func waiting(_ client: OpaquePointer, _ queue: OpaquePointer) -> Int {
    while serve(client, queue, 0) {}
    return Int(rd_kafka_outq_len(client))
  }
}

extension Optional where Wrapped == [UInt8] {
  /// The bytes for librdkafka, which tells null from empty by the pointer.
  func withPointer<Value>(_ body: (UnsafeRawPointer?, Int) -> Value) -> Value {
    guard let bytes = self else { return body(nil, 0) }
    return bytes.withUnsafeBytes { buffer in
      body(buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1), buffer.count)
    }
  }
}

extension Duration {
  /// Milliseconds, cut off at what librdkafka takes, none for less than none.
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return Int32(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}
