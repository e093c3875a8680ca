internal import Primitives

/// The brokers that are alive while a decision is made: what a partition's leader and in-sync replicas are chosen by.
struct LivingBrokers {
  private var active: Set<BrokerID> = []
  private var shuttingDown: Set<BrokerID> = []

  init(_ brokers: [BrokerID: BrokerRegistration]) {
    for broker in brokers.values where !broker.isFenced {
      if broker.isShuttingDown { shuttingDown.insert(broker.id) } else { active.insert(broker.id) }
    }
  }

  /// Whether it may come to lead, and join an ISR.
  func isActive(_ broker: BrokerID) -> Bool { active.contains(broker) }

  /// Whether it may go on leading: one that is shutting down does, where nobody can take over.
  func isAlive(_ broker: BrokerID) -> Bool { active.contains(broker) || shuttingDown.contains(broker) }
}
