internal import CLibrdkafka

/// What a reader has taken from librdkafka and not handed over yet. Under the reader's lock.
struct Reading: ~Copyable {
  typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

  /// Messages taken at once, at most: what is taken no longer counts as librdkafka's, so it must not be many.
  private static let batchMessagesMax = 512

  var queue: OpaquePointer?
  var book = PartitionBook()
  var holds = 0
  var failure: ClientError?
  var isEnded = false
  private let storesOffsets: Bool
  private var batch: [Message?] = []
  private var position = 0
  private var buffer = [Message?](repeating: nil, count: Reading.batchMessagesMax)
  /// What a loop takes records from at present, and how many of them the book knows as handed over.
  private var handful: Handful?
  private var noted = 0
  /// Records of partitions that rest, by slot.
  private var resting: [Int: [Message]] = [:]
  /// librdkafka names a topic by a pointer, good while the topic has partitions here.
  private var slots: [SlotKey: Int] = [:]
  private var lastKey = SlotKey(topic: 0, partition: -1)
  private var lastSlot = 0

  private var pressure: FetchPressure

  private struct SlotKey: Hashable {
    let topic: UInt
    let partition: Int32
  }

  init(storesOffsets: Bool, pressure: FetchPressure) {
    self.storesOffsets = storesOffsets
    self.pressure = pressure
  }

  /// Whether librdkafka should look for room again; says so once.
  mutating func takeNudge() -> Bool { pressure.takeNudge() }

  /// The loop is done with what it says.
  mutating func finish(_ demand: RecordDemand) {
    switch demand {
    case .oneByOne(let processed): if let processed { finish(processed) }
    case .together(_, let processed): for mark in processed { finish(mark) }
    }
  }

  private mutating func finish(_ mark: RecordMark) { if storesOffsets { book.finish(mark) } }

  mutating func take(
    _ demand: RecordDemand, _ bootstrapServers: String, _ passing: inout [ClientError]
  ) -> RecordReader.Find {
    callBack()
    if isEnded { return .end }
    if let failure {
      self.failure = nil
      return .failure(failure)
    }
    if holds > 0 { return .nothing }
    while true {
      guard position < batch.count || refill() else { return .nothing }
      let entries = gather(demand)
      if !entries.isEmpty { return handOver(entries, demand) }
      // All before it is handed over now, which is what the news of an end is held against.
      guard position < batch.count, let message = batch[position] else { continue }
      batch[position] = nil
      position += 1
      let slot = slot(of: message)
      // The end comes behind the records before it, also where these rest.
      if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF, let slot, resting[slot] != nil {
        resting[slot, default: []].append(message)
        continue
      }
      defer { rd_kafka_message_destroy(message) }
      if let find = news(message, slot, bootstrapServers, &passing) { return find }
    }
  }

  /// Takes what is in librdkafka's queue now; false where there is nothing.
  private mutating func refill() -> Bool {
    batch.removeAll(keepingCapacity: true)
    position = 0
    guard let queue else { return false }
    let count = buffer.withUnsafeMutableBufferPointer {
      rd_kafka_consume_batch_queue(queue, 0, $0.baseAddress, $0.count)
    }
    guard count > 0 else { return false }
    batch.append(contentsOf: buffer[..<count])
    let bytes = batch.reduce(0) { $0 + ($1.map { $0.pointee.len + $0.pointee.key_len } ?? 0) }
    pressure.note(taken: count, bytes: bytes, left: rd_kafka_queue_length(queue))
    return true
  }

  /// The records at the head of what was taken; none where news comes first.
  private mutating func gather(_ demand: RecordDemand) -> [Handful.Entry] {
    var limit = batch.count - position
    if case .together(let most, _) = demand { limit = min(limit, most) }
    var entries: [Handful.Entry] = []
    entries.reserveCapacity(limit)
    while position < batch.count, entries.count < limit {
      if let message = batch[position] {
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { break }
        batch[position] = nil
        if let entry = entry(message) { entries.append(entry) }
      }
      position += 1
    }
    return entries
  }

  private mutating func handOver(_ entries: [Handful.Entry], _ demand: RecordDemand) -> RecordReader.Find {
    switch demand {
    case .oneByOne:
      let handful = Handful(entries, book.partitions)
      self.handful = handful
      return .handful(handful)
    case .together:
      for entry in entries { book.handOver(entry.mark) }
      defer { for entry in entries { rd_kafka_message_destroy(entry.message) } }
      return .records(
        entries.compactMap { entry in
          entry.message.map { ConsumerRecord($0, book.partitions[entry.mark.slot], entry.mark) }
        })
    }
  }

  /// The message as one to hand over; nil for one that rests, or whose partition has gone.
  private mutating func entry(_ message: Message) -> Handful.Entry? {
    guard let slot = slot(of: message), book.entries[slot].isAssigned else {
      rd_kafka_message_destroy(message)
      return nil
    }
    if book.entries[slot].isPaused {
      resting[slot, default: []].append(message)
      return nil
    }
    return Handful.Entry(message, book.mark(slot, message.pointee.offset))
  }

  /// Writes into the book what was handed over, and what is processed, since the last time.
  mutating func catchUp() { if let handful { note(handful, handful.handed) } }

  /// Who asks for the next record is done with the one before; of the last one `finish` tells.
  private mutating func note(_ handful: Handful, _ handed: Int) {
    while noted < handed {
      if noted > 0 { finish(handful.entries[noted - 1].mark) }
      book.handOver(handful.entries[noted].mark)
      noted += 1
    }
  }

  /// Takes back what a loop has not asked for: it comes first the next time.
  mutating func callBack() {
    guard let handful else { return }
    let handed = handful.callBack()
    note(handful, handed)
    for entry in handful.entries[..<handed] { rd_kafka_message_destroy(entry.message) }
    let rest = handful.entries[handed...].map(\.message)
    if !rest.isEmpty {
      batch = rest + batch[min(position, batch.count)...]
      position = 0
    }
    (self.handful, noted) = (nil, 0)
  }

  /// A message that is no record: the end of a partition, something that passes, or what reading stops at.
  private mutating func news(
    _ message: Message, _ slot: Int?, _ bootstrapServers: String, _ passing: inout [ClientError]
  ) -> RecordReader.Find? {
    let code = message.pointee.err
    if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
      if let slot { book.reachEnd(slot, message.pointee.offset, isStored: storesOffsets) }
      return nil
    }
    let partition = slot.map { book.entries[$0].partition }
    let error = ClientError(
      code, partition.map { "reading \($0)" } ?? "reading",
      reason: rd_kafka_message_errstr(message).map { String(cString: $0) }, topic: partition?.topic,
      partition: partition?.partition, bootstrapServers: bootstrapServers)
    switch code {
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RD_KAFKA_RESP_ERR__IN_PROGRESS:
      passing.append(error)
      return nil
    default:
      if error.isRetriable {
        passing.append(error)
        return nil
      }
      return .failure(error)
    }
  }

  private mutating func slot(of message: Message) -> Int? {
    guard let topic = message.pointee.rkt else { return nil }
    let key = SlotKey(topic: UInt(bitPattern: topic), partition: message.pointee.partition)
    if key == lastKey { return lastSlot }
    let slot: Int
    if let known = slots[key] {
      slot = known
    } else {
      guard let name = rd_kafka_topic_name(topic) else { return nil }
      slot = book.slot(of: TopicPartition(String(cString: name), key.partition))
      slots[key] = slot
    }
    (lastKey, lastSlot) = (key, slot)
    return slot
  }

  /// Topics may go with their partitions, and other topics may get their pointers.
  mutating func forgetTopics() {
    slots.removeAll(keepingCapacity: true)
    lastKey = SlotKey(topic: 0, partition: -1)
  }

  mutating func add(_ message: Message?) { if let message { batch.append(message) } }

  /// Gives back what was taken of `partitions`.
  mutating func drop(_ partitions: Set<TopicPartition>) {
    for index in position..<max(position, batch.count) {
      guard let message = batch[index], let slot = slot(of: message),
        partitions.contains(book.entries[slot].partition)
      else { continue }
      batch[index] = nil
      rd_kafka_message_destroy(message)
    }
    for partition in partitions {
      for message in resting.removeValue(forKey: book.slot(of: partition)) ?? [] { rd_kafka_message_destroy(message) }
    }
  }

  mutating func dropAll() {
    for message in batch { if let message { rd_kafka_message_destroy(message) } }
    batch.removeAll()
    position = 0
    for messages in resting.values { for message in messages { rd_kafka_message_destroy(message) } }
    resting.removeAll()
  }

  mutating func pause(_ partitions: Set<TopicPartition>) {
    for partition in partitions { book.setPaused(book.slot(of: partition), true) }
  }

  /// What rested comes before what was taken since.
  mutating func resume(_ partitions: Set<TopicPartition>) {
    var first: [Message?] = []
    for partition in partitions.sorted() {
      let slot = book.slot(of: partition)
      book.setPaused(slot, false)
      first += resting.removeValue(forKey: slot) ?? []
    }
    guard !first.isEmpty else { return }
    batch = first + batch[min(position, batch.count)...]
    position = 0
  }
}

extension ConsumerRecord {
  /// Copies a record out of librdkafka's memory.
  init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ partition: TopicPartition, _ mark: RecordMark) {
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let time = rd_kafka_message_timestamp(message, &kind)
    self.init(
      topicPartition: partition, offset: mark.offset, timestamp: time >= 0 ? time : nil,
      key: message.pointee.key.map { Self.bytes($0, message.pointee.key_len) },
      value: message.pointee.payload.map { Self.bytes($0, message.pointee.len) },
      headers: Self.headers(message), mark: mark)
  }

  /// By way of the raw buffer: of all initializers this one takes the least time, by half.
  private static func bytes(_ start: UnsafeRawPointer, _ count: Int) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  private static let readsInPlace = ottla_rdkafka_reads_in_place() != 0

  private static func headers(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [Header] {
    if readsInPlace, ottla_rdkafka_lacks_headers(message) != 0 { return [] }
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
    var headers: [Header] = []
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var count = 0
    while rd_kafka_header_get_all(list, headers.count, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR {
      let bytes = value.map { Self.bytes($0, count) }
      headers.append(Header(name.map { String(cString: $0) } ?? "", bytes))
    }
    return headers
  }
}
