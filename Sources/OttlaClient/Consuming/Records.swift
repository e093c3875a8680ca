extension Consumer {
  /// The records of a consumer, one after the other.
  ///
  /// ```swift
  /// for try await record in consumer.records {
  ///   print(record.topicPartition, record.offset)
  /// }
  /// ```
  public struct Records: AsyncSequence, Sendable {
    /// A record.
    public typealias Element = ConsumerRecord
    /// Why reading cannot go on.
    public typealias Failure = ClientError
    let reader: RecordReader

    /// A loop over the records; asking for the next one says that the one before is processed.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    /// A loop over the records.
    public struct Iterator: AsyncIteratorProtocol {
      let reader: RecordReader
      private var last: RecordMark?

      init(reader: RecordReader) { self.reader = reader }

      /// The next record; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      public mutating func next() async throws(ClientError) -> ConsumerRecord? { try await next(isolation: nil) }

      /// The next record; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      public mutating func next(
        isolation actor: isolated (any Actor)?
      ) async throws(ClientError) -> ConsumerRecord? {
        while true {
          let processed = last
          last = nil
          let seen = reader.bell.rings
          switch reader.take(processed: processed) {
          case .record(let record):
            last = record.mark
            return record
          case .failure(let error): throw error
          case .end: return nil
          case .nothing: await reader.bell.wait(since: seen)
          }
        }
      }
    }
  }

  /// The records of a consumer, as many at a time as are there.
  ///
  /// ```swift
  /// for try await batch in consumer.batches(of: 100) {
  ///   print("\(batch.count) records")
  /// }
  /// ```
  public struct Batches: AsyncSequence, Sendable {
    /// One record at least.
    public typealias Element = [ConsumerRecord]
    /// Why reading cannot go on.
    public typealias Failure = ClientError
    let reader: RecordReader
    let limit: Int

    /// A loop over the batches; asking for the next one says that the one before is processed.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: reader, limit: limit) }

    /// A loop over the batches.
    public struct Iterator: AsyncIteratorProtocol {
      private let reader: RecordReader
      private let limit: Int
      private var records: Records.Iterator
      private var last: [RecordMark] = []
      /// Found behind the records of a batch, and told after it.
      private var failure: ClientError?

      init(reader: RecordReader, limit: Int) {
        self.reader = reader
        self.limit = limit
        records = Records.Iterator(reader: reader)
      }

      /// The next batch; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      public mutating func next() async throws(ClientError) -> [ConsumerRecord]? { try await next(isolation: nil) }

      /// The next batch; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      public mutating func next(
        isolation actor: isolated (any Actor)?
      ) async throws(ClientError) -> [ConsumerRecord]? {
        if let failure {
          self.failure = nil
          throw failure
        }
        reader.finish(last)
        last = []
        guard let first = try await records.next(isolation: actor) else { return nil }
        var batch = [first]
        batch.reserveCapacity(limit)
        while batch.count < limit, case .record(let record) = look() { batch.append(record) }
        last = batch.map(\.mark)
        return batch
      }

      private mutating func look() -> RecordReader.Find {
        let found = reader.take()
        if case .failure(let error) = found { failure = error }
        return found
      }
    }
  }
}
