internal import CLibrdkafka
internal import Synchronization

/// What a loop wants, and with which records it is done.
enum RecordDemand {
  case oneByOne(processed: RecordMark?)
  case together(limit: Int, processed: [RecordMark])
}

/// Where the loop that reads meets librdkafka: takes records out of its queue when they are asked for, and not before.
///
/// What was taken and not handed over yet stays in librdkafka's memory, so nothing is held twice.
final class RecordReader: Sendable {
  /// What a look into the queue finds.
  enum Find {
    /// For a loop that takes them one by one.
    case handful(Handful)
    /// Handed over together.
    case records([ConsumerRecord])
    case nothing
    case failure(ClientError)
    case end
  }

  private let reading: Mutex<Reading>
  /// Rings when there may be something to find.
  let bell = Bell()
  private let onError: (@Sendable (ClientError) -> Void)?
  private let bootstrapServers: String

  /// Has librdkafka look for room again.
  private let nudge = Mutex<(@Sendable () -> Void)?>(nil)

  init(
    storesOffsets: Bool, pressure: FetchPressure, bootstrapServers: String,
    onError: (@Sendable (ClientError) -> Void)?
  ) {
    reading = Mutex(Reading(storesOffsets: storesOffsets, pressure: pressure))
    self.onError = onError
    self.bootstrapServers = bootstrapServers
  }

  /// Reads from `queue` until `detach`, and is woken by it.
  func attach(_ queue: OpaquePointer) {
    let bits = UInt(bitPattern: queue)
    reading.withLock { $0.queue = OpaquePointer(bitPattern: bits) }
    // librdkafka calls it with the queue's lock held: the bell takes none that is held while librdkafka is called.
    rd_kafka_queue_cb_event_enable(
      queue,
      { _, opaque in if let opaque { Unmanaged<Bell>.fromOpaque(opaque).takeUnretainedValue().ringAll() } },
      Unmanaged.passUnretained(bell).toOpaque())
  }

  /// Sets what is called when librdkafka should look for room again.
  func onRoom(_ nudge: (@Sendable () -> Void)?) { self.nudge.withLock { $0 = nudge } }

  /// Has what comes by `source` go into this reader's queue.
  func forward(_ source: OpaquePointer) {
    let bits = UInt(bitPattern: source)
    reading.withLock { if let queue = $0.queue { rd_kafka_queue_forward(OpaquePointer(bitPattern: bits), queue) } }
  }

  /// Has the loop that takes from what is at hand come here for its next record: here it learns that its task is cancelled.
  func callBack() { reading.withLock { $0.callBack() } }

  /// Gives everything back to librdkafka; nothing is read any more.
  func detach() {
    reading.withLock { reading in
      reading.isEnded = true
      reading.callBack()
      reading.dropAll()
      if let queue = reading.queue {
        rd_kafka_queue_cb_event_enable(queue, nil, nil)
        rd_kafka_queue_destroy(queue)
      }
      reading.queue = nil
    }
    bell.ringAll()
  }

  /// Ends the loops that read.
  func end() {
    reading.withLock { reading in
      reading.callBack()
      reading.isEnded = true
    }
    bell.ringAll()
  }

  /// Has the loop that reads throw `error`, once.
  func fail(_ error: ClientError) {
    reading.withLock { reading in
      reading.callBack()
      if reading.failure == nil { reading.failure = error }
    }
    bell.ringAll()
  }

  /// The next records that are there now. A cancelled task gets none.
  func take(_ demand: RecordDemand) -> Find {
    let isCancelled = Task.isCancelled
    var passing: [ClientError] = []
    var isNudgeDue = false
    let found = reading.withLock { reading -> Find in
      reading.finish(demand)
      if isCancelled { return .end }
      defer { isNudgeDue = reading.takeNudge() }
      return reading.take(demand, bootstrapServers, &passing)
    }
    if isNudgeDue { nudge.withLock { $0 }?() }
    if let onError { for error in passing { onError(error) } }
    return found
  }

  /// A message that came by the group's own queue: a record that was not forwarded in time, or news.
  func add(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
    let bits = UInt(bitPattern: message)
    reading.withLock { $0.add(UnsafeMutablePointer(bitPattern: bits)) }
    bell.ringAll()
  }

  /// Works on the book under the reader's lock.
  func withBook<Value: Sendable>(_ body: (inout PartitionBook) -> Value) -> Value {
    reading.withLock { reading in
      reading.catchUp()
      return body(&reading.book)
    }
  }

  /// Rests until `release` is called as often; what comes meanwhile waits.
  func hold() {
    reading.withLock { reading in
      reading.callBack()
      reading.holds += 1
    }
  }

  func release() {
    reading.withLock { $0.holds -= 1 }
    bell.ringAll()
  }

  func assign(_ partitions: [TopicPartition]) {
    reading.withLock { reading in
      reading.callBack()
      reading.forgetTopics()
      reading.book.assign(partitions)
    }
  }

  func revoke(_ partitions: [TopicPartition]) {
    reading.withLock { reading in
      reading.callBack()
      reading.drop(Set(partitions))
      reading.forgetTopics()
      reading.book.revoke(partitions)
    }
  }

  func forget(_ partition: TopicPartition) {
    reading.withLock { reading in
      reading.callBack()
      reading.drop([partition])
      reading.book.seek(partition)
    }
  }

  func pause(_ partitions: [TopicPartition]) {
    reading.withLock { reading in
      reading.callBack()
      reading.pause(Set(partitions))
    }
  }

  func resume(_ partitions: [TopicPartition]) {
    reading.withLock { reading in
      reading.callBack()
      reading.resume(Set(partitions))
    }
    bell.ringAll()
  }
}
