package import Cluster
package import Primitives

/// Keeps the metadata log in one order for all brokers, says which of them are alive, and which is the controller.
///
/// Requests go out, events come in: nothing blocks on another machine, and nothing calls back. The owner asks for the events
/// with `poll` whenever the service has woken it, and after each request.
package protocol CoordinationService: AnyObject {
  /// Appends `records` as one unit: all of them, in their order, or none. `.appended` or `.appendFailed` with `token` tells
  /// how it went, after `.committed` has brought the records themselves. Only the controller appends, and one append at a
  /// time: the next one may be asked for when the last one is answered.
  func append(_ records: [MetadataRecord], token: RequestToken)

  /// Makes this broker known as alive, under an epoch that grows with each time (`.registered`). Where the service loses
  /// sight of the broker (`.unregistered`), it makes it known again by itself, under a new epoch.
  func register(_ presence: BrokerPresence)

  /// Gives up being known and being the controller, in order; `.closed` follows. For a broker that stops.
  func close()

  /// The id of the cluster: known before `.loaded` where there is one, nil where this broker is to found it.
  var clusterID: String? { get }

  /// Time has passed: the service looks at its own deadlines. Returns when it wants to be called again; nil for never.
  func tick(_ now: Instant) -> Instant?

  /// What has happened since the last call, oldest first.
  func poll() -> [CoordinationEvent]
}

/// Something that a coordination service tells its broker.
package enum CoordinationEvent: Sendable, Equatable {
  /// Records that are in the log for good, of whichever controller. Replay them. Where the log begins with a snapshot, the
  /// first run holds the snapshot's records under the last offsets it stands for, and does not begin at 0. After the first
  /// run, one that begins with a snapshot (`isSnapshot`) takes the place of everything before it.
  case committed(CommittedRecords)
  /// The append of that token is in the log; its last record is at `lastOffset`.
  case appended(RequestToken, lastOffset: Offset)
  /// The append of that token did not come about, or nobody knows yet: decide anew on what is committed.
  case appendFailed(RequestToken, KafkaError)
  /// This broker is the controller from now on, and all that its predecessors committed has been told. Each election has a
  /// higher epoch.
  case elected(controllerEpoch: Int32)
  /// This broker is not the controller any more; appends fail.
  case resigned
  /// Which broker is the controller, `.none` while there is no one: told to all brokers, with each change.
  case controllerChanged(BrokerID, controllerEpoch: Int32)
  /// All brokers that are alive, in the order of their ids; told to the controller, when it was elected and with each change.
  case brokersPresent([PresentBroker])
  /// This broker is known as alive, under this epoch.
  case registered(epoch: Int64)
  /// This broker is not known as alive any more, as far as anybody can tell; it will be again by itself.
  case unregistered
  /// Everything that was in the log when the service started was told.
  case loaded
  /// Whether the service can be reached. The cluster goes on without it; nothing can be changed meanwhile.
  case connectionChanged(isConnected: Bool)
  /// What was read cannot be so, and is read again. Where it is the same each time, `refused` follows.
  case doubted(String)
  /// The broker cannot be part of this cluster; the sentence says why, and what to do.
  case refused(String)
  /// What `close` asked for is done.
  case closed
}

/// A run of records of the metadata log.
package struct CommittedRecords: Sendable, Equatable {
  /// The offset of the first record; the others follow without gaps.
  package let firstOffset: Offset
  /// In the order of their offsets.
  package let records: [MetadataRecord]
  /// Whether they are all there is to know, and what was told before is to be forgotten.
  package let isSnapshot: Bool
  package init(firstOffset: Offset, records: [MetadataRecord], isSnapshot: Bool = false) {
    self.firstOffset = firstOffset
    self.records = records
    self.isSnapshot = isSnapshot
  }

  /// Replays the records into `image`.
  package func replay(into image: inout ClusterImage) {
    for (distance, record) in records.enumerated() {
      image.replay(record, at: firstOffset.advanced(by: Int64(distance)))
    }
  }
}
