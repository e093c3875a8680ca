internal import CLibrdkafka
internal import Synchronization

/// The part of a consumer that its thread keeps alive: librdkafka's client, and where its records go.
///
/// The thread polls the group and never waits for a reader, so the member stays in its group however long a record takes.
final class ConsumerCore: Sendable {
  private struct Ending {
    var deadline: ContinuousClock.Instant?
    var outcome: Result<Void, ClientError>?
    var waiters: [CheckedContinuation<Result<Void, ClientError>, Never>] = []
  }

  let handle: LibraryHandle
  let events: ClientEvents
  let reader: RecordReader
  let rebalancer: Rebalancer
  let calls = BlockingCalls()
  let isMember: Bool
  private let ending = Mutex(Ending())
  private let firstContactTimeout: Duration?

  init(_ configuration: ConsumerConfiguration) throws(ClientError) {
    let list = try configuration.properties()
    isMember = configuration.groupId != nil
    let servers = configuration.bootstrapServers
    let reader = RecordReader(
      storesOffsets: configuration.enableAutoCommit && configuration.enableAutoOffsetStore && isMember,
      pressure: FetchPressure(
        recordsMax: configuration.waitingMax.records, bytesMax: configuration.waitingMax.bytes),
      bootstrapServers: servers, onError: configuration.onError)
    let rebalancer = Rebalancer(reader: reader, listener: configuration.onRebalance)
    events = ClientEvents(
      health: ClientHealth(bootstrapServers: servers, onError: configuration.onError),
      onStatistics: configuration.onStatistics, onRebalance: { rebalancer.rebalance($0, $1, $2) })
    self.reader = reader
    self.rebalancer = rebalancer
    firstContactTimeout =
      configuration.firstContactTimeoutMs > 0 ? .milliseconds(configuration.firstContactTimeoutMs) : nil
    let made = try list.makeConfiguration()
    events.watch(made)
    let client = try PropertyList.makeHandle(RD_KAFKA_CONSUMER, made)
    handle = LibraryHandle(client)
    // Errors and statistics come by the consumer's queue too: one poll serves all.
    rd_kafka_poll_set_consumer(client)
    guard let queue = rd_kafka_queue_new(client) else {
      rd_kafka_destroy(client)
      throw .illegalState(reason: "out of memory")
    }
    reader.attach(queue)
    rebalancer.attach(self)
    reader.onRoom { self.nudge() }
    do throws(ClientError) {
      try LibraryThread.start { self.run() }
    } catch {
      rebalancer.attach(nil)
      reader.onRoom(nil)
      reader.detach()
      rd_kafka_destroy(client)
      throw error
    }
  }

  /// Ends reading, commits what is processed, and leaves the group.
  func close(by deadline: ContinuousClock.Instant) async -> Result<Void, ClientError> {
    requestClose(by: deadline)
    return await withCheckedContinuation { continuation in
      let known = ending.withLock { ending -> Result<Void, ClientError>? in
        if ending.outcome == nil { ending.waiters.append(continuation) }
        return ending.outcome
      }
      if let known { continuation.resume(returning: known) }
    }
  }

  /// The first deadline counts. Calls are let in until the group is left: a listener commits on the way out.
  func requestClose(by deadline: ContinuousClock.Instant) {
    let isFirst = ending.withLock { ending in
      defer { if ending.deadline == nil { ending.deadline = deadline } }
      return ending.deadline == nil
    }
    guard isFirst else { return }
    reader.end()
    // The thread waits for events: this is one.
    try? handle.use { client in
      guard let queue = rd_kafka_queue_get_consumer(client) else { return }
      rd_kafka_queue_yield(queue)
      rd_kafka_queue_destroy(queue)
    }
  }

  /// The thread's whole life.
  private func run() {
    guard let client = handle.pointer else { return }
    var began = ContinuousClock.now
    var isKnown = false
    while ending.withLock({ $0.deadline == nil }) {
      if let message = rd_kafka_consumer_poll(client, 100) { reader.add(message) }
      reader.callBack()
      reader.storeProcessed(client)
      if let fatal = events.health.fatal { reader.fail(fatal) }
      if let refusal = events.health.takeAuthenticationFailure() { reader.fail(refusal) }
      if !isKnown { isKnown = handle.hasReachedBroker }
      if !isKnown, let firstContactTimeout, ContinuousClock.now - began > firstContactTimeout {
        began = .now
        reader.fail(
          .brokersUnavailable(
            bootstrapServers: events.health.bootstrapServers, reason: events.health.lastReasonOrSilence))
      }
    }
    let outcome = finish(client)
    let waiters = ending.withLock { ending in
      ending.outcome = outcome
      defer { ending.waiters = [] }
      return ending.waiters
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
  }

  private func finish(_ client: OpaquePointer) -> Result<Void, ClientError> {
    let deadline = ending.withLock { $0.deadline } ?? ContinuousClock.now
    reader.storeProcessed(client)
    let hasLeft = leave(client, by: deadline)
    rebalancer.attach(nil)
    reader.onRoom(nil)
    handle.shut()
    while !handle.isUnused { rd_kafka_poll(client, 1) }
    reader.detach()
    rd_kafka_destroy_flags(client, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE))
    guard hasLeft else {
      let reason = events.health.lastReasonOrSilence
      return .failure(.timedOut(operation: "leaving the group", reason: reason))
    }
    return .success(())
  }

  /// Commits and leaves; false where the time was too short for that.
  private func leave(_ client: OpaquePointer, by deadline: ContinuousClock.Instant) -> Bool {
    guard let queue = rd_kafka_queue_new(client) else { return false }
    defer { rd_kafka_queue_destroy(queue) }
    if let failure = rd_kafka_consumer_close_queue(client, queue) {
      rd_kafka_error_destroy(failure)
      return false
    }
    while rd_kafka_consumer_closed(client) == 0 {
      if ContinuousClock.now > deadline { return false }
      if let message = rd_kafka_consume_queue(queue, 10) { rd_kafka_message_destroy(message) }
    }
    return true
  }
}
