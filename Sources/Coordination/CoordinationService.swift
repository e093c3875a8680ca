package import Cluster
package import Primitives

/// Keeps the metadata log in one order for all brokers, and says which of them is the controller.
///
/// Requests go out, events come in: nothing blocks on another machine, and nothing calls back. The owner asks for the events
/// with `poll` whenever the service has woken it, and after each append.
package protocol CoordinationService: AnyObject {
  /// Appends `records` as one unit: all of them, in their order, or none. `.appended` or `.appendFailed` with `token` tells
  /// how it went, after `.committed` has brought the records themselves.
  func append(_ records: [MetadataRecord], token: RequestToken)

  /// What has happened since the last call, oldest first.
  func poll() -> [CoordinationEvent]
}

/// Something that a coordination service tells its broker.
package enum CoordinationEvent: Sendable, Equatable {
  /// Records that are in the log for good, of whichever controller. Replay them. Where the log begins with a snapshot, the
  /// first run holds the snapshot's records under the last offsets it stands for, and does not begin at 0.
  case committed(CommittedRecords)
  /// The append of that token is in the log; its last record is at `lastOffset`.
  case appended(RequestToken, lastOffset: Offset)
  /// The append of that token did not come about, or nobody knows: the state that replayed it is to be dropped.
  case appendFailed(RequestToken, KafkaError)
  /// This broker is the controller from now on. Each election has a higher epoch.
  case elected(controllerEpoch: Int32)
  /// This broker is not the controller any more; appends fail.
  case resigned
  /// Everything that was in the log when the service started was told.
  case loaded
}

/// A run of records of the metadata log.
package struct CommittedRecords: Sendable, Equatable {
  /// The offset of the first record; the others follow without gaps.
  package let firstOffset: Offset
  /// In the order of their offsets.
  package let records: [MetadataRecord]
  package init(firstOffset: Offset, records: [MetadataRecord]) {
    self.firstOffset = firstOffset
    self.records = records
  }

  /// Replays the records into `image`.
  package func replay(into image: inout ClusterImage) {
    for (distance, record) in records.enumerated() {
      image.replay(record, at: firstOffset.advanced(by: Int64(distance)))
    }
  }
}
