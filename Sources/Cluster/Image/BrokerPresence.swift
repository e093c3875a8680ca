package import Primitives

/// What a broker tells the others of itself while it lives.
package struct BrokerPresence: Sendable, Equatable {
  package var id: BrokerID
  package var rack: String?
  /// One for each advertised listener.
  package var endpoints: [BrokerEndpoint]
  /// Another one for each start of the process.
  package var incarnation: UUID
  /// Of the data folders (the `directory.id` of the first): another one after the data was lost or swapped. That another
  /// folder than the first is gone `lastRun` says.
  package var dataID: UUID
  /// How the run before this one ended.
  package var lastRun: LastRun
  package init(
    id: BrokerID, rack: String?, endpoints: [BrokerEndpoint], incarnation: UUID, dataID: UUID, lastRun: LastRun
  ) {
    self.id = id
    self.rack = rack
    self.endpoints = endpoints
    self.incarnation = incarnation
    self.dataID = dataID
    self.lastRun = lastRun
  }
}

/// How a broker's run ended, as the next one finds it.
package enum LastRun: Sendable, Equatable {
  /// In order, all logs on the disk, as the broker with this epoch (KIP-966's clean-shutdown marker).
  case stopped(brokerEpoch: Int64)
  /// The process died, the machine did not: what was written is there, flushed or not.
  case killed
  /// The machine went down, or a disk failed, or nobody knows: what was not flushed may be gone.
  case lost
  /// A data folder is missing, or has become another one: what was flushed may be gone too.
  case foldersGone
}

/// A broker that the coordination service sees alive.
package struct PresentBroker: Sendable, Equatable {
  package let presence: BrokerPresence
  /// Grows with each registration of any broker: Kafka's broker epoch.
  package let epoch: Int64
  package init(presence: BrokerPresence, epoch: Int64) {
    self.presence = presence
    self.epoch = epoch
  }
}
