internal import Primitives

/// Who came, went and came back, between the brokers that the metadata knows and those that are alive.
///
/// A broker is known by its id and its epoch: another epoch is another life, however short the pause was (KIP-380).
struct BrokerChanges {
  /// What is to be known of brokers that are gone.
  private(set) var fenced: [BrokerRegistration] = []
  /// What is to be known of brokers that are new, are back, or are seen again.
  private(set) var arrived: [BrokerRegistration] = []
  /// Brokers whose former life has ended: what they led and were in sync with, they do no more.
  private(set) var ended: Set<BrokerID> = []
  /// Of those, the ones that live again.
  private(set) var returned: [BrokerID: BrokerReturn] = [:]

  init(known: [BrokerID: BrokerRegistration], present: [PresentBroker]) {
    let living = Dictionary(present.map { ($0.presence.id, $0) }) { _, last in last }
    for old in known.values.sorted(by: { $0.id < $1.id }) where living[old.id] == nil && !old.isFenced {
      var gone = old
      gone.isFenced = true
      fenced.append(gone)
      ended.insert(old.id)
    }
    for broker in living.values.sorted(by: { $0.presence.id < $1.presence.id }) {
      add(broker, before: known[broker.presence.id])
    }
  }

  private mutating func add(_ broker: PresentBroker, before old: BrokerRegistration?) {
    if let old, old.epoch == broker.epoch {
      // The same life: nothing was lost, it was only out of sight.
      guard old.isFenced else { return }
      var seenAgain = old
      seenAgain.isFenced = false
      return arrived.append(seenAgain)
    }
    arrived.append(BrokerRegistration(broker))
    guard let old else { return }
    ended.insert(old.id)
    returned[old.id] = BrokerReturn(from: old, to: broker)
  }

  #if DEBUG
    /// See `Mutation.restartKeepsIsr`: only who is gone has ended.
    mutating func forgetRestarts() {
      ended.subtract(returned.keys)
      returned = [:]
    }
  #endif

  /// Whether all is known already.
  var isEmpty: Bool { fenced.isEmpty && arrived.isEmpty }
}

/// What a broker that came back may have lost.
struct BrokerReturn {
  /// It had stopped in order, and this is what the stop left.
  let wasStopped: Bool
  /// What it had not flushed may be gone.
  let mayLackUnflushed: Bool
  /// Of some of its replicas everything may be gone.
  let mayLackAnything: Bool
  /// Its folders are others: everything may be gone.
  let hasOtherData: Bool

  /// The note of a stop counts only for the life that the metadata knows: with another epoch there was a life in between of
  /// which nobody knows how it ended, or the folders are an old copy.
  init(from old: BrokerRegistration, to new: PresentBroker) {
    mayLackAnything = new.presence.lastRun == .foldersGone
    hasOtherData = !old.dataID.isZero && old.dataID != new.presence.dataID
    switch new.presence.lastRun {
    case .stopped(let epoch):
      wasStopped = epoch == old.epoch
      mayLackUnflushed = epoch != old.epoch
    case .killed:
      wasStopped = false
      mayLackUnflushed = false
    case .lost, .foldersGone:
      wasStopped = false
      mayLackUnflushed = true
    }
  }
}

extension BrokerRegistration {
  /// A broker that has just become known as alive.
  init(_ broker: PresentBroker) {
    let presence = broker.presence
    self.init(
      id: presence.id, epoch: broker.epoch, rack: presence.rack, endpoints: presence.endpoints,
      incarnation: presence.incarnation, dataID: presence.dataID)
  }
}
