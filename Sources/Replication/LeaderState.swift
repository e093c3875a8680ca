internal import Primitives

/// What a partition knows while this broker leads it.
struct LeaderState {
  /// Where this broker's log ended when the term began: what lies before was written under others.
  let epochStartOffset: Offset
  /// The replicas in sync, this broker among them, as committed.
  var isr: [BrokerID]
  /// The other replicas, in the order of the partition's record.
  var replicas: [RemoteReplica]
  /// A proposal that is not settled.
  var proposal: OpenProposal?
  /// Members of earlier proposals at this partition epoch of which nobody knows whether they were taken.
  var possibleMembers: Set<BrokerID> = []
  /// No new proposal before this time.
  var pausedUntil: Instant?
  /// The committed isr is to be proposed as it is, so that whatever else is under way comes too late.
  var mustSettle = false
  /// The last time that anybody told.
  var clock: Instant

  /// Can become: open again (`retryAt` has come), settled and gone (answered, or a newer image).
  struct OpenProposal {
    let proposal: IsrProposal
    /// When it is to be sent again; nil while an answer is due.
    var retryAt: Instant?
    /// Whether it was sent without hearing what became of it.
    var isAmbiguous = false
    /// Whether the controller said that a newer state is there.
    var waitsForImage = false
  }

  /// Whether the replica is in the isr, or in one that may be committed already (the maximal isr of KIP-497).
  func mayBeInSync(_ id: BrokerID) -> Bool {
    isr.contains(id) || proposal?.proposal.isr.contains { $0.id == id } == true || possibleMembers.contains(id)
  }

  /// The isr is now this one. Who is new in it has its time to show that it keeps up: it may not have had everything yet, for
  /// what may be seen is enough to join.
  mutating func take(isr members: [BrokerID], _ now: Instant) {
    for position in replicas.indices where members.contains(replicas[position].id) {
      guard !isr.contains(replicas[position].id) else { continue }
      replicas[position].lastCaughtUp = max(replicas[position].lastCaughtUp, now)
    }
    isr = members
  }

  func position(of id: BrokerID) -> Int? { replicas.firstIndex { $0.id == id } }
}

/// What a partition knows while another broker leads it.
struct FollowerState {
  let leader: BrokerID
  #if DEBUG
    /// See `Mutation.skipTruncationIfLeaderUnchanged`.
    var comparesHistories = true
  #endif
}
