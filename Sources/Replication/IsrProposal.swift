package import KafkaProtocol
package import Primitives

/// Another set of in-sync replicas, as a leader asks the controller for it (AlterPartition, KIP-497).
package struct IsrProposal: Hashable, Sendable {
  /// A member, and the broker epoch in which it caught up; -1 where nobody knows (KIP-903).
  package struct Member: Hashable, Sendable {
    package let id: BrokerID
    package let brokerEpoch: Int64
    package init(id: BrokerID, brokerEpoch: Int64) {
      self.id = id
      self.brokerEpoch = brokerEpoch
    }
  }
  package let leaderEpoch: LeaderEpoch
  /// What the partition's record must still be, for the proposal to be taken.
  package let partitionEpoch: Int32
  /// In the order of their ids, the leader among them.
  package let isr: [Member]

  /// The proposal as a part of an AlterPartition request.
  package func requested(partition: Int32) -> AlterPartitionRequest.PartitionData {
    AlterPartitionRequest.PartitionData(
      partitionIndex: partition, leaderEpoch: leaderEpoch.value,
      newIsrWithEpochs: isr.map { .init(brokerId: $0.id.value, brokerEpoch: $0.brokerEpoch) },
      partitionEpoch: partitionEpoch)
  }
}

/// What a leader hears of its proposal.
package enum IsrAnswer: Sendable {
  /// The partition is now like this: part of a good AlterPartition answer.
  case committed(leaderEpoch: LeaderEpoch, isr: [BrokerID], partitionEpoch: Int32)
  /// The controller has refused it, or could not say.
  case refused(ErrorCode)
  /// No answer came: it may have been taken, or be taken yet.
  case unanswered
}

/// What follows from the answer.
package enum IsrOutcome: Hashable, Sendable {
  /// The isr is the new one; the high watermark may advance.
  case committed
  /// `isrChange` gives the same proposal again, from this time on.
  case retry(at: Instant)
  /// It was not taken, and everything is as before it; `isrChange` may make another one from this time on.
  case dropped(next: Instant)
  /// The controller knows of a newer state: the proposal stays open until its image comes.
  case waitsForImage
  /// The answer to a proposal that was settled before; nothing follows.
  case stale
}
