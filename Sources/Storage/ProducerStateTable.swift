package import Primitives
package import Records

/// The idempotent and transactional producers of one partition: Kafka's ProducerStateManager.
///
/// `check` decides, `appended` remembers; the partition calls the first before an append, the log the second after it.
package final class ProducerStateTable {
  /// More producers than this are not remembered: those that were silent longest go first.
  package let producerCountMax: Int
  private(set) var states: [ProducerID: ProducerState] = [:]
  /// The producer looked up last: its next batch, and the append after the check, need no hashing.
  private var recent: (id: ProducerID, state: ProducerState)?

  /// How many have an open transaction: readers ask at every fetch, mostly there are none.
  private var openTransactionCount = 0

  package init(producerCountMax: Int = 100_000) {
    precondition(producerCountMax > 0, "a table of \(producerCountMax) producers")
    self.producerCountMax = producerCountMax
  }

  package var count: Int { states.count }

  private func state(of id: ProducerID) -> ProducerState? {
    if let recent, recent.id == id { return recent.state }
    guard let state = states[id] else { return nil }
    recent = (id, state)
    return state
  }

  /// What to do with the batch of `header`. Batches without a producer id, and control batches, are always appended.
  package func check(_ header: RecordBatchHeader) -> ProducerVerdict {
    guard header.producerID.value >= 0, !header.attributes.isControl, let state = state(of: header.producerID) else {
      return .append
    }
    if header.producerEpoch < state.epoch {
      return .refuse(
        KafkaError(
          .invalidProducerEpoch,
          "producer \(header.producerID.value) is at epoch \(state.epoch.value), the batch at \(header.producerEpoch.value)"
        ))
    }
    if header.producerEpoch > state.epoch {
      return header.baseSequence == 0 ? .append : .refuse(outOfOrder(header, expected: 0))
    }
    guard state.batchCount > 0 else {
      // A marker ended the epoch before and began this one: its first batch has sequence 0.
      return header.baseSequence == 0 ? .append : .refuse(outOfOrder(header, expected: 0))
    }
    return check(header, against: state)
  }

  private func check(_ header: RecordBatchHeader, against state: ProducerState) -> ProducerVerdict {
    let expected = state.lastSequence == Int32.max ? 0 : state.lastSequence + 1
    if header.baseSequence == expected { return .append }
    for age in 0..<state.batchCount {
      let batch = state.batch(age)
      if batch.lastSequence == header.lastSequence, batch.baseSequence == header.baseSequence {
        return .duplicate(baseOffset: batch.baseOffset, timestamp: batch.timestamp)
      }
    }
    // Sequences wrap: "before" is less than half the circle behind.
    let oldest = state.batch(state.batchCount - 1)
    let distance = (oldest.baseSequence &- header.lastSequence) & Int32.max
    if distance > 0, distance < 1 << 30 {
      return .forgottenDuplicate(
        below: oldest.baseOffset,
        KafkaError(
          .duplicateSequenceNumber,
          "producer \(header.producerID.value) sent sequence \(header.baseSequence) before; its offset is no longer known"
        ))
    }
    return .refuse(outOfOrder(header, expected: expected))
  }

  private func outOfOrder(_ header: RecordBatchHeader, expected: Int32) -> KafkaError {
    KafkaError(
      .outOfOrderSequenceNumber,
      "producer \(header.producerID.value) at epoch \(header.producerEpoch.value) sent sequence \(header.baseSequence), "
        + "expected \(expected)")
  }

  /// The batch of `header` is in the log at `baseOffset`; `now` is the broker's clock. `coordinatorEpoch` is that of a
  /// control batch.
  package func appended(
    _ header: RecordBatchHeader, baseOffset: Offset, now: Timestamp, coordinatorEpoch: Int32? = nil
  ) {
    guard header.producerID.value >= 0 else { return }
    let state: ProducerState
    if let known = self.state(of: header.producerID) {
      state = known
    } else {
      state = ProducerState(epoch: header.producerEpoch, lastUpdate: now)
      restore(header.producerID, state)
    }
    let wasOpen = state.currentTransactionFirstOffset != nil
    state.note(header, baseOffset: baseOffset, now: now, coordinatorEpoch: coordinatorEpoch)
    let isOpen = state.currentTransactionFirstOffset != nil
    if wasOpen != isOpen { openTransactionCount += isOpen ? 1 : -1 }
  }

  /// Forgets producers that were silent for `expirationMs` (`producer.id.expiration.ms`) and have no open transaction.
  /// Returns how many.
  @discardableResult
  package func expire(now: Timestamp, expirationMs: Int64) -> Int {
    let before = states.count
    recent = nil
    states = states.filter { _, state in
      state.currentTransactionFirstOffset != nil
        || now.milliseconds &- state.lastUpdate.milliseconds < expirationMs
    }
    return before - states.count
  }

  /// Where the earliest open transaction begins: readers of committed data stop there. nil when none is open.
  package var firstUnstableOffset: Offset? {
    openTransactionCount == 0 ? nil : states.values.compactMap(\.currentTransactionFirstOffset).min()
  }

  /// The producers by their ids: what DescribeProducers answers.
  package var activeProducers: [ActiveProducer] {
    states.sorted { $0.key < $1.key }.map { id, state in
      ActiveProducer(
        producerID: id, producerEpoch: state.epoch, lastSequence: state.lastSequence, lastTimestamp: state.lastUpdate,
        coordinatorEpoch: state.coordinatorEpoch,
        currentTransactionStartOffset: state.currentTransactionFirstOffset)
    }
  }

  func removeAll() {
    recent = nil
    openTransactionCount = 0
    states.removeAll()
  }

  func restore(_ id: ProducerID, _ state: ProducerState) {
    if states[id] == nil { makeRoom() }
    recent = nil
    if states[id]?.currentTransactionFirstOffset != nil { openTransactionCount -= 1 }
    if state.currentTransactionFirstOffset != nil { openTransactionCount += 1 }
    states[id] = state
  }

  /// Room for one more: a tenth goes at once, so that a flood of new producers does not sort the table each time.
  private func makeRoom() {
    guard states.count >= producerCountMax else { return }
    recent = nil
    let candidates = states.filter { $0.value.currentTransactionFirstOffset == nil }.map {
      ($0.value.lastUpdate, $0.key)
    }
    for (_, id) in candidates.sorted(by: { $0 < $1 }).prefix(max(1, producerCountMax / 10)) {
      states.removeValue(forKey: id)
    }
  }
}

extension ProducerState {
  /// Takes note of an appended batch.
  fileprivate func note(
    _ header: RecordBatchHeader, baseOffset: Offset, now: Timestamp, coordinatorEpoch: Int32?
  ) {
    lastUpdate = now
    if header.producerEpoch > epoch { begin(header.producerEpoch) }
    if header.attributes.isControl {
      self.coordinatorEpoch = coordinatorEpoch ?? self.coordinatorEpoch
      currentTransactionFirstOffset = nil
      return
    }
    add(
      Batch(
        lastSequence: header.lastSequence, lastOffset: baseOffset.advanced(by: Int64(header.lastOffsetDelta)),
        offsetDelta: header.lastOffsetDelta, timestamp: header.maxTimestamp))
    if header.attributes.isTransactional, currentTransactionFirstOffset == nil {
      currentTransactionFirstOffset = baseOffset
    }
  }
}
