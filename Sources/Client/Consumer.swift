internal import CLibrdkafka
package import Primitives

/// Where reading starts in a partition without (or in spite of) a committed offset.
package enum StartPosition: Hashable, Sendable {
  case earliest
  case latest
  case offset(Int64)
  /// So many records before the end.
  case tail(Int64)
}

/// Reads records through librdkafka: as a member of a group, or whole partitions without one.
///
/// One owner, one thread. In a group, what the closure of `poll` took is committed every few seconds and by `close`:
/// a record may come again after a crash, none is passed over.
package final class Consumer {
  let handle: OpaquePointer
  let callbacks: ConsumerCallbacks
  let queue: OpaquePointer
  /// Topics read without a group, to be stopped and let go.
  private var started: [(topic: OpaquePointer, partition: Int32)] = []
  private var topicHandles: [OpaquePointer] = []
  private let isMember: Bool
  private var isClosed = false
  /// The group was not left: nobody was there to be told.
  private var isAbandoned = false
  private let start: StartPosition
  private var taken: [TopicPartition: Int64] = [:]
  /// Partitions in which this member has said how far it is.
  private var settled: Set<TopicPartition> = []
  private var batch: [UnsafeMutablePointer<rd_kafka_message_t>?]
  private var topicNames: [OpaquePointer: String] = [:]

  private static let batchRecordsMax = 1000
  private static let lookupTimeoutMs: Int32 = 5000

  /// A member of `group`, subscribed to `topics`. The group starts at its committed offsets, else at `start`, which must
  /// be earliest or latest.
  package init(
    _ settings: ClientSettings, group: String, topics: [String], start: StartPosition
  ) throws(ClientError) {
    callbacks = ConsumerCallbacks()
    batch = Array(repeating: nil, count: Self.batchRecordsMax)
    isMember = true
    self.start = start
    let configuration = try settings.makeConfiguration(defaults: [
      ("group.id", group), ("enable.auto.offset.store", "false"), ("enable.partition.eof", "true"),
      ("auto.offset.reset", start == .latest ? "latest" : "earliest"),
    ])
    callbacks.health.watch(configuration)
    rd_kafka_conf_set_opaque(configuration, callbacks.opaque)
    rd_kafka_conf_set_rebalance_cb(configuration) { handle, code, partitions, opaque in
      guard let handle, let opaque else { return }
      Unmanaged<ConsumerCallbacks>.fromOpaque(opaque).takeUnretainedValue().rebalance(handle, code, partitions)
    }
    handle = try ClientSettings.makeHandle(RD_KAFKA_CONSUMER, configuration)
    rd_kafka_poll_set_consumer(handle)
    guard let consumerQueue = rd_kafka_queue_get_consumer(handle) else {
      throw .library(operation: "joining group \(group)", reason: "the client has no consumer queue")
    }
    queue = consumerQueue
    let subscription = rd_kafka_topic_partition_list_new(Int32(clamping: topics.count))
    defer { rd_kafka_topic_partition_list_destroy(subscription) }
    for topic in topics { rd_kafka_topic_partition_list_add(subscription, topic, Producer.anyPartition) }
    let result = rd_kafka_subscribe(handle, subscription)
    guard result == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw .library(operation: "subscribing to \(topics.joined(separator: ", "))", reason: sentence(result))
    }
  }

  /// A reader of `partitions`, each from `start`, that belongs to no group and commits nothing.
  package init(
    _ settings: ClientSettings, partitions: [TopicPartition], start: StartPosition
  ) throws(ClientError) {
    callbacks = ConsumerCallbacks()
    batch = Array(repeating: nil, count: Self.batchRecordsMax)
    isMember = false
    self.start = start
    let configuration = try settings.makeConfiguration(defaults: [
      ("enable.partition.eof", "true"), ("auto.offset.reset", start == .latest ? "latest" : "earliest"),
    ])
    callbacks.health.watch(configuration)
    rd_kafka_conf_set_opaque(configuration, callbacks.opaque)
    handle = try ClientSettings.makeHandle(RD_KAFKA_CONSUMER, configuration)
    guard let ownQueue = rd_kafka_queue_new(handle) else {
      throw .library(operation: "reading", reason: "out of memory")
    }
    queue = ownQueue
    var handles: [String: OpaquePointer] = [:]
    for partition in partitions {
      guard let topic = handles[partition.topic] ?? rd_kafka_topic_new(handle, partition.topic, nil) else {
        throw .library(operation: "opening topic \(partition.topic)", reason: sentence(rd_kafka_last_error()))
      }
      if handles.updateValue(topic, forKey: partition.topic) == nil { topicHandles.append(topic) }
      guard rd_kafka_consume_start_queue(topic, partition.partition, start.libraryOffset, queue) == 0 else {
        throw .library(operation: "reading \(partition)", reason: sentence(rd_kafka_last_error()))
      }
      started.append((topic, partition.partition))
      callbacks.assigned.insert(partition)
    }
  }

  deinit {
    close()
    for topic in topicHandles { rd_kafka_topic_destroy(topic) }
    rd_kafka_queue_destroy(queue)
    rd_kafka_destroy_flags(handle, isAbandoned ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0)
  }

  /// Whether every partition given to this consumer has been read to its end; false before any was given.
  package var isAtEnd: Bool { callbacks.hasAssignment && callbacks.assigned.isSubset(of: callbacks.ended) }
  /// The partitions given to this consumer at present, in order.
  package var assignment: [TopicPartition] {
    callbacks.assigned.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
  }
  /// Whether no broker could be reached when librdkafka last tried.
  package var allBrokersDown: Bool { callbacks.health.allBrokersDown }
  /// The last complaint of librdkafka's connections; empty when there was none.
  package var lastReason: String { callbacks.health.lastReason }

  /// Waits up to `timeoutMs` for records and calls `body` with each, in order within a partition, until it returns false.
  ///
  /// In a group, calling this again says that the records of the call before are done with: they may be committed.
  ///
  /// - Returns: how many records `body` took; one for which it returned false is among them.
  /// - Throws: `.library` when reading cannot go on: the topic is gone, the group is refused, a fatal error.
  package func poll(timeoutMs: Int32, _ body: (ConsumedRecord) -> Bool) throws(ClientError) -> Int {
    storeTaken()
    if !isMember { rd_kafka_poll(handle, 0) }
    // A batch call with a time limit waits until the batch is full: wait for one record, then take what is there.
    batch[0] = rd_kafka_consume_queue(queue, timeoutMs)
    var count = 0
    if batch[0] != nil {
      let more = batch.withUnsafeMutableBufferPointer {
        rd_kafka_consume_batch_queue(queue, 0, $0.baseAddress.map { $0 + 1 }, $0.count - 1)
      }
      count = 1 + max(0, more)
    }
    if let fatal = callbacks.health.fatal { throw .library(operation: "reading", reason: fatal) }
    return try deliver(count, body)
  }

  /// Hands the first `count` messages of the batch to `body`, and gives all of them back to librdkafka.
  private func deliver(_ count: Int, _ body: (ConsumedRecord) -> Bool) throws(ClientError) -> Int {
    var takenCount = 0
    var goOn = true
    var failure: ClientError?
    for index in 0..<count {
      guard let message = batch[index] else { continue }
      batch[index] = nil
      if goOn, failure == nil {
        if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
          goOn = take(message, body)
          takenCount += 1
        } else {
          failure = notice(message)
        }
      }
      rd_kafka_message_destroy(message)
    }
    if let failure { throw failure }
    return takenCount
  }

  private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ body: (ConsumedRecord) -> Bool) -> Bool {
    let topic = topicName(message)
    callbacks.health.allBrokersDown = false
    let goOn = body(ConsumedRecord(topic: topic, message: message))
    if isMember { taken[TopicPartition(topic, message.pointee.partition)] = message.pointee.offset &+ 1 }
    return goOn
  }

  /// What a message that is no record says: the end of a partition, something that will pass, or an error to stop at.
  private func notice(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> ClientError? {
    let partition = TopicPartition(topicName(message), message.pointee.partition)
    switch message.pointee.err {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      callbacks.ended.insert(partition)
      // The place where reading stands is committed too, as Java's consumer does: else a group that found nothing to
      // read would begin at the end again, past what was sent in between.
      if isMember, taken[partition] == nil { taken[partition] = message.pointee.offset }
      return nil
    case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TIMED_OUT,
      RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      callbacks.health.lastReason = Self.reason(message)
      return nil
    default:
      return .library(operation: "reading \(partition)", reason: Self.reason(message))
    }
  }

  private static func reason(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> String {
    rd_kafka_message_errstr(message).map { String(cString: $0) } ?? sentence(message.pointee.err)
  }

  /// librdkafka knows a topic by a pointer that lives as long as the client: its name is made once.
  private func topicName(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> String {
    guard let topic = message.pointee.rkt else { return "" }
    if let known = topicNames[topic] { return known }
    let name = rd_kafka_topic_name(topic).map { String(cString: $0) } ?? ""
    if topicNames.count < 10_000 { topicNames[topic] = name }
    return name
  }

  /// Tells librdkafka up to where records are done with: that is what it commits.
  private func storeTaken() {
    guard isMember, !taken.isEmpty else { return }
    settled.formUnion(taken.keys)
    let list = rd_kafka_topic_partition_list_new(Int32(clamping: taken.count))
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for (partition, next) in taken {
      rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition)?.pointee.offset = next
    }
    // A partition that was taken away in the meantime is refused, and rightly: its next owner reads these again.
    rd_kafka_offsets_store(handle, list)
    taken.removeAll(keepingCapacity: true)
  }

  /// Has the group begin at the oldest record where this member, told to start there, has not come to anything yet.
  private func storeBeginnings() {
    guard start == .earliest else { return }
    let untouched = assignment.filter { !settled.contains($0) }
    guard !untouched.isEmpty else { return }
    let list = rd_kafka_topic_partition_list_new(Int32(clamping: untouched.count))
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for partition in untouched { rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition) }
    guard rd_kafka_committed(handle, list, Self.lookupTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    for partition in untouched {
      let entry = rd_kafka_topic_partition_list_find(list, partition.topic, partition.partition)
      guard let entry, entry.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR, entry.pointee.offset < 0 else { continue }
      var oldest: Int64 = 0
      var end: Int64 = 0
      let found = rd_kafka_query_watermark_offsets(
        handle, partition.topic, partition.partition, &oldest, &end, Self.lookupTimeoutMs)
      if found == RD_KAFKA_RESP_ERR_NO_ERROR { taken[partition] = oldest }
    }
    storeTaken()
  }

  /// Forgets the records of the last `poll`: they could not be processed, and are not to be committed.
  package func forgetTaken() { taken.removeAll() }

  /// Commits what was taken and leaves the group, or stops reading. Does nothing the second time.
  ///
  /// - Returns: why the last commit failed; nil when it did not, or there was nothing to commit.
  @discardableResult
  package func close() -> ClientError? {
    guard !isClosed else { return nil }
    isClosed = true
    guard isMember else {
      for (topic, partition) in started { rd_kafka_consume_stop(topic, partition) }
      return nil
    }
    storeTaken()
    // Committing and leaving wait for the coordinator, up to the session's timeout: not when nobody is there.
    if callbacks.health.allBrokersDown {
      isAbandoned = true
      return .library(operation: "committing offsets", reason: sentence(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN))
    }
    storeBeginnings()
    let result = rd_kafka_commit(handle, nil, 0)
    rd_kafka_consumer_close(handle)
    if result == RD_KAFKA_RESP_ERR_NO_ERROR || result == RD_KAFKA_RESP_ERR__NO_OFFSET { return nil }
    return .library(operation: "committing offsets", reason: sentence(result))
  }
}

extension StartPosition {
  /// The offset, or the number that stands for a place, which librdkafka starts at.
  fileprivate var libraryOffset: Int64 {
    switch self {
    case .earliest: Int64(RD_KAFKA_OFFSET_BEGINNING)
    case .latest: Int64(RD_KAFKA_OFFSET_END)
    case .offset(let offset): max(0, offset)
    // RD_KAFKA_OFFSET_TAIL is a macro with an argument, which Swift does not see.
    case .tail(let count): Int64(RD_KAFKA_OFFSET_TAIL_BASE) - min(max(0, count), 1 << 40)
    }
  }
}
