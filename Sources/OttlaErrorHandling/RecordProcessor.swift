public import OttlaClient

/// Reads topics as a member of a group and gives each record to a handler, with retries, dead letters and commits taken care of (Spring's
/// listener container).
///
/// - A record is committed when it, and all before it in its partition, are done: handled, or safely in a topic for retries or dead letters.
///   So each record is handled at least once; after a crash, or when a partition moves while a handler runs longer than `revokeWait`, some are
///   handled again. Whoever must not do it twice keeps note of what is done where he does it.
/// - A handler may take as long as it wants: the member stays in its group, also while a record waits for its retry.
/// - Where a retry waits, its partition rests, and others go on.
///
/// ```swift
/// var configuration = ConsumerConfiguration(bootstrapServers: "localhost:9092", groupId: "notificationGroup")
/// configuration.autoOffsetReset = .earliest
/// let processor = RecordProcessor(configuration, topics: ["notification"], errorHandler: ErrorHandler()) { record in
///   try await mailer.send(record.decode(Mail.self))
/// }
/// try await processor.run()
/// ```
public final class RecordProcessor: Sendable {
  private let configuration: ConsumerConfiguration
  private let topics: [String]
  private let errorHandler: ErrorHandler
  private let settings: ProcessingSettings
  private let producer: Producer?
  private let handle: @Sendable (ConsumerRecord) async throws -> Void
  private let willHandle: (@Sendable (ConsumerRecord) -> Void)?
  private let ending = Ending()

  /// A processor, which does nothing until `run`.
  ///
  /// - Parameters:
  ///   - configuration: with `groupId`. What is done is the processor's to say (`enableAutoOffsetStore` is off whatever it says here);
  ///     automatic commits carry it to the group every `autoCommitIntervalMs`, and when partitions go.
  ///   - topics: names, or regular expressions that begin with `^` (not together with retry topics).
  ///   - producer: writes to the topics for retries and dead letters; one is made where they are needed and it is nil. With
  ///     `acks == .all`, or a record may be lost with a broker.
  ///   - handle: called with each record. What it throws, the error handler deals with; so also `decode` of what is wrong.
  public init(
    _ configuration: ConsumerConfiguration, topics: [String], errorHandler: ErrorHandler = ErrorHandler(),
    settings: ProcessingSettings = ProcessingSettings(), producer: Producer? = nil,
    handle: @escaping @Sendable (ConsumerRecord) async throws -> Void
  ) {
    self.configuration = configuration
    self.topics = topics
    self.errorHandler = errorHandler
    self.settings = settings
    self.producer = producer
    self.handle = handle
    willHandle = nil
  }

  /// The same, with `willHandle` told of each record before its handler begins: in the order in which they came, one after the other.
  init(
    _ configuration: ConsumerConfiguration, topics: [String], errorHandler: ErrorHandler, settings: ProcessingSettings,
    producer: Producer?, willHandle: @escaping @Sendable (ConsumerRecord) -> Void,
    handle: @escaping @Sendable (ConsumerRecord) async throws -> Void
  ) {
    self.configuration = configuration
    self.topics = topics
    self.errorHandler = errorHandler
    self.settings = settings
    self.producer = producer
    self.willHandle = willHandle
    self.handle = handle
  }

  /// The same for values that `deserializer` makes of records. A record that does not decode is fatal: it is not tried again.
  ///
  /// ```swift
  /// let processor = RecordProcessor(configuration, topics: ["mails"], by: JSONCodec<Mail>()) { mail, record in
  ///   try await mailer.send(mail)
  /// }
  /// ```
  public convenience init<Codec: Deserializer>(
    _ configuration: ConsumerConfiguration, topics: [String], by deserializer: Codec,
    errorHandler: ErrorHandler = ErrorHandler(), settings: ProcessingSettings = ProcessingSettings(),
    producer: Producer? = nil, handle: @escaping @Sendable (Codec.Value, ConsumerRecord) async throws -> Void
  ) where Codec.Value: Sendable {
    self.init(configuration, topics: topics, errorHandler: errorHandler, settings: settings, producer: producer) {
      try await handle($0.value(by: deserializer), $0)
    }
  }

  /// Works until `stop`, or until the task is cancelled; then leaves the group, with what is done committed. May be called again
  /// afterwards.
  ///
  /// ```swift
  /// let processing = Task { try await processor.run() }
  /// ```
  ///
  /// - Throws: ``ProcessingStopped`` where the error handler says so; `ClientError` where reading cannot go on, and for a configuration that
  ///   is wrong.
  public func run() async throws {
    guard configuration.groupId != nil else {
      throw ClientError.illegalState(reason: "processing needs a group to remember what is done: set groupId")
    }
    guard configuration.enableAutoCommit else {
      throw ClientError.illegalState(reason: "a processor commits what is done: leave enableAutoCommit on")
    }
    let routes = try TopicRoutes(topics, errorHandler)
    if settings.createsTopics { try await TopicCreation(configuration).create(routes, for: topics) }
    let own = try producer == nil && routes.isWriting ? Producer(writerConfiguration) : nil
    do {
      try await run(routes, producer ?? own)
    } catch {
      try? await own?.close(within: .seconds(10))
      throw error
    }
    try await own?.close(within: .seconds(10))
  }

  /// Begins no more records, and lets `run` return when those begun are done. Returns at once.
  ///
  /// ```swift
  /// let processing = Task { try await processor.run() }
  /// processor.stop()
  /// try await processing.value
  /// ```
  public func stop() { ending.request() }

  private var writerConfiguration: ProducerConfiguration {
    var result = ProducerConfiguration(bootstrapServers: configuration.bootstrapServers)
    result.clientId = configuration.clientId
    result.security = configuration.security
    // A try that takes longer is begun anew.
    result.deliveryTimeoutMs = 30_000
    return result
  }

  private func run(_ routes: TopicRoutes, _ producer: Producer?) async throws {
    let (jobs, jobsSource) = AsyncStream.makeStream(of: ProcessingLoop.Job.self)
    let writer = FailureWriter(routes: routes, group: configuration.groupId) { (record) throws(ProducerError) in
      guard let producer else { throw .closed }
      return try await producer.send(record)
    }
    let stopping = Ending()
    let loop = ProcessingLoop(settings, errorHandler, writer, jobs: jobsSource, stopping: stopping)
    var configuration = configuration
    configuration.enableAutoOffsetStore = false
    let listener = configuration.onRebalance
    configuration.onRebalance = { rebalance in
      if rebalance.kind != .assigned { await loop.rebalance(rebalance) }
      await listener?(rebalance)
      if rebalance.kind == .assigned { await loop.rebalance(rebalance) }
    }
    let consumer = try Consumer(configuration)
    do {
      try await consumer.subscribe(to: routes.readTopics)
    } catch {
      try? await consumer.close()
      throw error
    }
    await work(loop, jobs, consumer, writer, stopping)
    do {
      try await consumer.close()
    } catch {
      await loop.forgetConsumer()
      throw await loop.failure ?? error
    }
    await loop.forgetConsumer()
    if let failure = await loop.failure { throw failure }
  }

  /// Runs the jobs until there will be no more. What is cancelled with the task is not done, and comes again.
  private func work(
    _ loop: ProcessingLoop, _ jobs: AsyncStream<ProcessingLoop.Job>, _ consumer: Consumer, _ writer: FailureWriter,
    _ stopping: Ending
  ) async {
    let (willHandle, handle) = (willHandle, handle)
    let judge = errorHandler.judge
    let stopWait = settings.stopWait
    let ending = ending
    await withDiscardingTaskGroup { group in
      group.addTask { await Self.read(consumer, loop) }
      group.addTask {
        await ending.wait()
        await loop.stop()
      }
      group.addTask {
        await stopping.wait()
        try? await Task.sleep(for: stopWait)
        if !Task.isCancelled { await loop.abandon() }
      }
      for await job in jobs {
        switch job {
        case .handle(let ticket, let record):
          willHandle?(record)
          group.addTask { await loop.finish(ticket, Self.result(of: record, handle, judge)) }
        case .recover(let ticket, let record, let triesCount, let failure):
          group.addTask { await Self.recover(ticket, record, triesCount, failure, loop, writer) }
        case .wake(let time):
          group.addTask {
            try? await Task.sleep(until: time, clock: .continuous)
            if !Task.isCancelled { await loop.wake(time) }
          }
        }
      }
      await loop.end()
      group.cancelAll()
    }
  }
}

/// What runs beside the loop.
extension RecordProcessor {
  /// Gives the loop what it wants to have, until it wants nothing any more.
  private static func read(_ consumer: Consumer, _ loop: ProcessingLoop) async {
    while await loop.waitForDemand() {
      do throws(ClientError) {
        var records = consumer.records.makeAsyncIterator()
        while await loop.waitForDemand() {
          // It ends with the task: then nothing more is to be begun.
          guard let record = try await records.next() else { return await loop.stop() }
          await loop.arrive(record)
        }
      } catch {
        guard error.isRetriable else { return await loop.stop(error) }
        await loop.tell(.readingInterrupted(error))
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private static func result(
    of record: ConsumerRecord, _ handle: @Sendable (ConsumerRecord) async throws -> Void, _ judge: ErrorJudge
  ) async -> ProcessingPlan<ConsumerRecord>.Result {
    do {
      try await handle(record)
      return .done
    } catch {
      // What fails because the program ends says nothing about the record.
      return Task.isCancelled ? .abandoned : .failed(Failure(error: error, kind: judge.kind(of: error)))
    }
  }

  private static func recover(
    _ ticket: UInt64, _ record: ConsumerRecord, _ triesCount: Int, _ failure: Failure, _ loop: ProcessingLoop,
    _ writer: FailureWriter
  ) async {
    switch await writer.recover(record, triesCount: triesCount, failure) {
    case .recovered(let event):
      await loop.tell(event)
      await loop.finish(ticket, .recovered)
    case .notWritten(let event):
      if !Task.isCancelled { await loop.tell(event) }
      await loop.finish(ticket, Task.isCancelled ? .abandoned : .recoveryFailed)
    case .stop(let error):
      await loop.stop(error)
      await loop.finish(ticket, .abandoned)
    }
  }
}
