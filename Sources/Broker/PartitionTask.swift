package import Effects
package import KafkaProtocol
package import Primitives
internal import Records

/// A piece of a request that concerns one partition, for the shard that owns it.
package struct PartitionTask: Sendable {
  package enum Work: Sendable {
    /// Append these records, as they came.
    case produce(records: [UInt8], version: Int16, acks: Int16, timeoutMs: Int32)
    case read(ReadTask)
    case listOffset(timestamp: Int64, currentLeaderEpoch: Int32, isReadCommitted: Bool)
    case deleteRecords(before: Int64)
    case epochEndOffset(currentLeaderEpoch: Int32, leaderEpoch: Int32)
    case describeSize

    /// Whether it asks for the end of the log: what has been acknowledged at acks=1 counts too, once it is safe.
    var looksAtTheEnd: Bool {
      switch self {
      case .listOffset(let timestamp, _, _): timestamp != -2 && timestamp != -4
      case .deleteRecords: true
      case .produce, .read, .epochEndOffset, .describeSize: false
      }
    }

    /// Whether only the leader can answer it: who follows knows nothing for certain, and a broker that was just started not
    /// even what it knew before. Appends and reads look for themselves.
    var isForTheLeader: Bool {
      switch self {
      case .listOffset, .deleteRecords, .epochEndOffset: true
      case .produce, .read, .describeSize: false
      }
    }
  }

  /// A read on behalf of a fetch.
  package struct ReadTask: Sendable {
    package var offset: Int64
    package var maxBytes: Int
    package var currentLeaderEpoch: Int32
    package var lastFetchedEpoch: Int32
    package var isReadCommitted: Bool
    /// At least one whole batch, though it be larger than `maxBytes`.
    package var minOneBatch: Bool
    /// At most so much comes from the disk, beside that first batch.
    package var coldBytesMax: Int
    /// Who is told when there is more: set while the fetch may have to wait.
    package var watcher: FetchWatcher?
    /// Set where another broker fetches, to copy the log.
    package var follower: FollowerTask?
    /// The rack of a consumer that may be told of a nearer replica; nil where it may not, or has none (KIP-392).
    package var rack: String?
    /// Whether a replica that does not lead may answer a consumer: it must know how to go on if it lags.
    package var mayReadFollower = false
  }

  /// What a fetch of another broker says of itself.
  package struct FollowerTask: Sendable {
    package let replica: BrokerID
    package let brokerEpoch: Int64
    package let logStartOffset: Int64
    /// False when the same request reads once more: it has been counted.
    package let counts: Bool
    /// A time before the request was sent; nil where that is not known.
    package let sentAfter: Instant?
  }

  /// What came of a task.
  package enum Outcome: Sendable {
    case failed(KafkaError)
    case produced(ProduceOutcome)
    case read(ReadOutcome)
    case listedOffset(offset: Int64, timestamp: Int64, leaderEpoch: Int32)
    case deletedRecords(lowWatermark: Int64)
    case epochEndOffset(leaderEpoch: Int32, endOffset: Int64)
    case size(bytes: Int64, logDir: String)
  }

  package struct ProduceOutcome: Sendable {
    package var baseOffset: Int64
    /// The broker's time where the topic has LogAppendTime, else -1.
    package var logAppendTimeMs: Int64
    package var logStartOffset: Int64
    package var error: ErrorCode = .none
    package var message: String?
    package var recordErrors: [ProduceResponse.BatchIndexAndErrorMessage] = []
  }

  package struct ReadOutcome: Sendable {
    package var error: ErrorCode = .none
    package var highWatermark: Int64 = -1
    package var lastStableOffset: Int64 = -1
    package var logStartOffset: Int64 = -1
    package var range: FileRange?
    /// Set where the fetcher's last epoch is not in this log: where its history leaves ours.
    package var divergingEpoch: (epoch: Int32, endOffset: Int64)?
    /// A replica in the consumer's rack, which is to be asked instead; -1 where there is none.
    package var preferredReadReplica: Int32 = -1
    /// Not to wait for more: the follower's next fetch is waited for.
    package var mustAnswer = false
    package var byteCount: Int { range?.byteCount ?? 0 }
  }

  package struct Result: Sendable {
    package let index: Int
    package let outcome: Outcome
  }

  /// Place among the tasks of one request.
  package let index: Int
  package let topicID: UUID
  package let partition: Int32
  package let work: Work
}

/// A fetch that waits for data: a connection of some shard, and which of its requests.
package struct FetchWatcher: Sendable {
  package let shard: Int
  package let connection: ConnectionID
  package let sequence: UInt64
}

extension PartitionTask.ProduceOutcome {
  /// Nothing was appended.
  init(failing error: KafkaError) {
    self.init(baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, error: error.code, message: error.message)
  }
}

/// What is remembered of a produce request for one partition until it is answered.
struct SingleProduce {
  let topic: String
  let partition: Int32
  let acks: Int16
}

/// A produce request for one partition, on its way to the shard that owns it.
package struct RemoteProduce: Sendable {
  let shard: Int
  let connection: ConnectionID
  let sequence: UInt64
  let topicID: UUID
  let partition: Int32
  let version: Int16
  let acks: Int16
  let timeoutMs: Int32
  let records: [UInt8]
}
