internal import Primitives

/// Something that a cluster must never do, by the name of the invariant.
package struct Violation: Error, CustomStringConvertible {
  package let invariant: String
  package let what: String
  package var description: String { "\(invariant): \(what)" }
}

/// What a set of seeds has to reach, or it does not test what it should.
package enum Sometimes: String, CaseIterable, Sendable {
  case truncation, isrOfOne, doubleFailover, uncleanRestart, appendFailed, doubtfulLeader
  case controllerChange, fastRestart, sessionLost, quorumLost, diskLost, diskFailed, diskFull, snapshotRead
  case followerRestartedAtStart, endNotKnown, notEnoughReplicas, groupMoved, ambiguousAppend, cleanStop
  case offlineLog, reassigned, topicDeleted, recordsDeleted
}
