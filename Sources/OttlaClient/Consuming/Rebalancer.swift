internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Carries out what a group decides about this member's partitions, on the consumer's thread.
final class Rebalancer: Sendable {
  private let reader: RecordReader
  private let listener: (@Sendable (Rebalance) async -> Void)?
  private struct State {
    /// Set while the client lives.
    var core: ConsumerCore?
    /// Where the partitions begin that are being assigned; nil while none are.
    var beginnings: [TopicPartition: Int64]?
  }
  private let state = Mutex(State())

  init(reader: RecordReader, listener: (@Sendable (Rebalance) async -> Void)?) {
    self.reader = reader
    self.listener = listener
  }

  func attach(_ core: ConsumerCore?) { state.withLock { $0.core = core } }

  /// librdkafka's rebalance callback.
  func rebalance(_ client: OpaquePointer, _ code: rd_kafka_resp_err_t, _ list: ClientEvents.PartitionList?) {
    let partitions = PartitionList.entries(list).map(\.partition).sorted()
    let isCooperative = rd_kafka_rebalance_protocol(client).map { String(cString: $0) } == "COOPERATIVE"
    reader.hold()
    switch code {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: assign(partitions, client, isCooperative)
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: revoke(partitions, client, isCooperative)
    default:
      reader.revoke(partitions)
      rd_kafka_assign(client, nil)
    }
    reader.release()
  }

  private func assign(_ partitions: [TopicPartition], _ client: OpaquePointer, _ isCooperative: Bool) {
    if !isCooperative { reader.revoke(reader.withBook(\.assigned)) }
    reader.assign(partitions)
    state.withLock { $0.beginnings = [:] }
    tell(.assigned, partitions)
    let beginnings = state.withLock { state in
      defer { state.beginnings = nil }
      return state.beginnings ?? [:]
    }
    let list = PartitionList(
      partitions.map { ($0, beginnings[$0] ?? StartPosition.committed.libraryOffset) })
    reader.forward(partitions, of: client)
    if isCooperative {
      if let error = takeError(rd_kafka_incremental_assign(client, list.pointer), "taking partitions") {
        reader.fail(error)
      }
    } else {
      let code = rd_kafka_assign(client, list.pointer)
      if code != RD_KAFKA_RESP_ERR_NO_ERROR { reader.fail(ClientError(code, "taking partitions")) }
    }
  }

  private func revoke(_ partitions: [TopicPartition], _ client: OpaquePointer, _ isCooperative: Bool) {
    let isLost = rd_kafka_assignment_lost(client) != 0
    tell(isLost ? .lost : .revoked, partitions)
    // What is processed is committed with the partitions' departure, where commits are automatic.
    reader.storeProcessed(client)
    reader.revoke(partitions)
    if isCooperative {
      let list = PartitionList(partitions)
      _ = takeError(rd_kafka_incremental_unassign(client, list.pointer), "letting partitions go")
    } else {
      rd_kafka_assign(client, nil)
    }
  }

  /// Waits for the listener: this thread is the library's own, and the group waits for this member anyway.
  private func tell(_ kind: Rebalance.Kind, _ partitions: [TopicPartition]) {
    guard let listener, let core = state.withLock({ $0.core }) else { return }
    let rebalance = Rebalance(kind: kind, partitions: partitions, consumer: Consumer(sharing: core))
    let isTold = DispatchSemaphore(value: 0)
    Task {
      await listener(rebalance)
      isTold.signal()
    }
    isTold.wait()
  }

  /// Where a partition begins that is being assigned just now; false for others.
  func begin(_ partition: TopicPartition, at offset: Int64) -> Bool {
    state.withLock { state in
      guard state.beginnings != nil else { return false }
      state.beginnings?[partition] = offset
      return true
    }
  }
}

extension RecordReader {
  /// Has librdkafka put the records of `partitions` into this reader's queue, from the first one on.
  ///
  /// Before they are assigned: a forward that the application made stays, one made later comes too late for some.
  func forward(_ partitions: [TopicPartition], of client: OpaquePointer) {
    for partition in partitions {
      guard let source = rd_kafka_queue_get_partition(client, partition.topic, partition.partition) else { continue }
      forward(source)
      rd_kafka_queue_destroy(source)
    }
  }

  /// Tells librdkafka up to where records are processed: that is what it commits.
  func storeProcessed(_ client: OpaquePointer) {
    let offsets = withBook { $0.takeUnstored() }
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    // A partition that went away in the meantime is refused, and rightly: its next owner reads these again.
    rd_kafka_offsets_store(client, list.pointer)
  }
}
