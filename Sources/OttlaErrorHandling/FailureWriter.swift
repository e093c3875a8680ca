internal import OttlaClient

/// Carries out what an error handler says of a record that is not tried again in its place.
struct FailureWriter: Sendable {
  enum Outcome {
    case recovered(ProcessingEvent)
    case notWritten(ProcessingEvent)
    case stop(ProcessingStopped)
  }

  let routes: TopicRoutes
  let group: String?
  let send: @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport

  func recover(_ record: ConsumerRecord, triesCount: Int, _ failure: Failure) async -> Outcome {
    var history = history(of: record)
    history.attempts += triesCount
    switch routes.destination(of: record.topic, history, failure.kind) {
    case .retryTopic(let topic, let number, let wait):
      let due = wallClockMs() &+ wait.wholeMilliseconds
      let headers = history.headers(record.headers, group: group, failure: failure, retry: (number, due))
      return await write(record, topic, headers) { _ in
        .sentToRetryTopic(record, topic: topic, attempts: history.attempts, wait: wait, failure.error)
      }
    case .deadLetters(let topic):
      let headers = history.headers(record.headers, group: group, failure: failure, retry: nil)
      return await write(record, topic, headers) {
        .deadLettered(record, $0, attempts: history.attempts, failure.error)
      }
    case .skip: return .recovered(.skipped(record, attempts: history.attempts, failure.error))
    case .stop:
      return .stop(
        ProcessingStopped(
          topic: record.topic, partition: record.partition, offset: record.offset, attempts: history.attempts,
          error: failure.error))
    }
  }

  func history(of record: ConsumerRecord) -> FailureHistory {
    FailureHistory(
      record.topicPartition, record.offset, timestamp: record.timestamp, headers: record.headers,
      isRetry: routes.origin(of: record.topic).wait != nil)
  }

  private func write(
    _ record: ConsumerRecord, _ topic: String, _ headers: [Header], _ event: (DeliveryReport) -> ProcessingEvent
  ) async -> Outcome {
    do throws(ProducerError) {
      // Its own time stays in a header: by it, the topic's retention might delete the record at once.
      let copy = ProducerRecord(
        topic: topic, partition: record.partition, key: record.key, value: record.value, headers: headers)
      return .recovered(event(try await send(toSamePartition: copy)))
    } catch {
      return .notWritten(.notWritten(record, topic: topic, error))
    }
  }

  private func send(toSamePartition record: ProducerRecord) async throws(ProducerError) -> DeliveryReport {
    try await Self.send(toSamePartition: record, send)
  }

  /// Sends a record to its partition, or where its key leads in a topic that has no such partition.
  static func send(
    toSamePartition record: ProducerRecord,
    _ send: (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  ) async throws(ProducerError) -> DeliveryReport {
    do throws(ProducerError) {
      return try await send(record)
    } catch {
      guard case .unknownPartition? = error.cause, record.partition != nil else { throw error }
      var anywhere = record
      anywhere.partition = nil
      return try await send(anywhere)
    }
  }
}

extension Duration {
  /// In milliseconds, those begun counted whole.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (milliseconds, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflows else { return seconds < 0 ? .min / 2 : .max / 2 }
    return milliseconds &+ (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
