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
    ///
    /// For programs that ask for one record here and for others there:
    ///
    /// ```swift
    /// var iterator = consumer.records.makeAsyncIterator()
    /// guard let heading = try await iterator.next() else { return }  // the first record names the columns
    /// print(heading.valueText ?? "-")
    /// while let record = try await iterator.next() { try await handle(record) }
    /// ```
    public struct Iterator: AsyncIteratorProtocol {
      private let reader: RecordReader
      /// What is at hand: taken without the reader's lock, and without a call that could wait.
      private var handful: Handful?
      /// The same, without counting who holds it: that would be done for every record.
      private var atHand: Unmanaged<Handful>?
      private var last: RecordMark?

      init(reader: RecordReader) { self.reader = reader }

      /// The next record; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      public mutating func next() async throws(ClientError) -> ConsumerRecord? { try await next(isolation: nil) }

      /// The next record; nil when the consumer is closed or the task cancelled.
      ///
      /// - Throws: where reading cannot go on: `.authenticationFailed`, `.authorizationFailed`, `.refused` with the broker's code.
      @inlinable
      public mutating func next(
        isolation actor: isolated (any Actor)?
      ) async throws(ClientError) -> ConsumerRecord? {
        if let record = takeOne() { return record }
        return try await nextHandful(isolation: actor)
      }

      /// The next record of those at hand.
      @usableFromInline
      mutating func takeOne() -> ConsumerRecord? {
        guard let record = atHand?._withUnsafeGuaranteedRef({ $0.take() }) else { return nil }
        last = record.mark
        return record
      }

      /// The first record of those that come next.
      @usableFromInline
      mutating func nextHandful(
        isolation actor: isolated (any Actor)?
      ) async throws(ClientError) -> ConsumerRecord? {
        while true {
          let processed = last
          last = nil
          (handful, atHand) = (nil, nil)
          let seen = reader.bell.rings
          switch reader.take(.oneByOne(processed: processed)) {
          case .handful(let found):
            (handful, atHand) = (found, Unmanaged.passUnretained(found))
            if let record = takeOne() { return record }
          case .records, .nothing: await reader.bell.wait(since: seen)
          case .failure(let error): throw error
          case .end: return nil
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
    ///
    /// ```swift
    /// var iterator = consumer.batches(of: 100).makeAsyncIterator()
    /// while let batch = try await iterator.next() {
    ///   try await database.insert(batch)
    ///   if isEnough { break }
    /// }
    /// ```
    public struct Iterator: AsyncIteratorProtocol {
      private let reader: RecordReader
      private let limit: Int
      private var last: [RecordMark] = []
      /// Found behind the records of a batch, and told after it.
      private var failure: ClientError?

      init(reader: RecordReader, limit: Int) {
        self.reader = reader
        self.limit = limit
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
        while true {
          let processed = last
          last = []
          let seen = reader.bell.rings
          switch reader.take(.together(limit: limit, processed: processed)) {
          case .records(var batch):
            fill(&batch)
            last = batch.map(\.mark)
            return batch
          case .handful, .nothing: await reader.bell.wait(since: seen)
          case .failure(let error): throw error
          case .end: return nil
          }
        }
      }

      /// Adds what is there without waiting.
      private mutating func fill(_ batch: inout [ConsumerRecord]) {
        while batch.count < limit {
          switch reader.take(.together(limit: limit - batch.count, processed: [])) {
          case .records(let more): batch += more
          case .failure(let error):
            failure = error
            return
          case .handful, .nothing, .end: return
          }
        }
      }
    }
  }
}
