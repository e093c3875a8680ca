import Cluster
import KafkaProtocol
import Primitives
import Records
import Simulation
import TestSupport
import Testing

@testable import Broker

/// What happens to the broker of a walk, and to its disk.
extension Walk {

  /// A process is lost, or stops in order; nobody knows what became of the requests under way.
  func restart(isClean: Bool) throws {
    heal()
    if isClean {
      for walker in walkers { broker.drain(walker.client) }
      try broker.restart()
      takeAnswers()
    } else {
      try broker.crash()
    }
    startAgain()
  }

  private func startAgain() {
    wasFull = false
    hasFailed = false
    settleChangesUnderWay()
    connectAll()
  }

  /// The power goes.
  func cutPower() throws {
    heal()
    let data = UnsyncedFate.allCases[random.below(3)]
    try broker.cutPower(data: data, names: UnsyncedFate.allCases[random.below(3)], seed: random.next())
    startAgain()
  }

  private func heal() {
    broker.disk.heal()
    broker.simulatedDisk?.heal()
    broker.simulatedDisk?.capacity = nil
    isFull = false
  }

  func fillUp() {
    guard let disk = broker.simulatedDisk else { return }
    isFull = true
    wasFull = true
    disk.capacity = disk.usedBytes + Int64(random.below(6000))
  }

  /// There is room again, and time to notice it.
  func makeRoom() {
    heal()
    broker.advance(ms: 6000)
  }

  /// What was asked and not answered may have happened or not: asks the broker itself.
  func settleChangesUnderWay() {
    for name in topics.keys.sorted() where topics[name]?.isChanging == true {
      topics[name]?.version += 1
      topics[name]?.isChanging = false
      let exists = broker.shards[0].image.topic(named: name) != nil
      let left = topics[name]?.leaving ?? []
      if !exists { topics[name]?.gone.formUnion(left) }
      topics[name]?.exists = exists
      topics[name]?.acknowledged = [:]
    }
  }

  func failSomeWrites() {
    hasFailed = true
    if let disk = broker.simulatedDisk {
      let effects = [DiskFault.Effect.none, .half, .dropsDirtyPages]
      let isForRoom = random.chance(oneIn: 2)
      let calls: [Set<DiskCall>] = [[.write, .sync], Set(DiskCall.allCases).subtracting([.size])]
      return disk.fail(
        call: 1 + random.below(6), errno: isForRoom ? 28 : 5, effect: effects[random.below(3)],
        isLasting: random.chance(oneIn: 2), calls: calls[random.below(2)],
        pathPart: random.chance(oneIn: 3) ? "/data/" : "/other/")
    }
    broker.disk.failWrites(
      to: random.chance(oneIn: 2) ? "/a-" : "/b-", after: random.below(4), tornByteCount: random.below(100),
      errno: random.chance(oneIn: 2) ? 5 : 28)
  }
}
