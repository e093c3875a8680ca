import Cluster
import Configuration
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// Several simulated brokers on one clock and one network.
final class SimulatedCluster {
  let clock = HandClock()
  let random: SeededRandom
  let network: SimulatedBrokerNetwork
  private(set) var brokers: [SimulatedBroker] = []

  static let port: Int32 = 9092
  static func host(_ broker: BrokerID) -> String { "broker-\(broker.value)" }

  /// Starts `count` brokers, numbered from 1. They do not know one another yet.
  init(
    brokers count: Int, shards: Int = 1, seed: UInt64 = 1, settings: [(name: String, value: String)] = []
  ) throws {
    random = SeededRandom(seed: seed)
    network = SimulatedBrokerNetwork(clock: clock, random: SeededRandom(seed: seed &+ 1))
    for number in 1...count {
      let own = [(name: "node.id", value: String(number))]
      let broker = try SimulatedBroker(
        shards: shards, seed: seed &+ UInt64(number) &* 1000, settings: settings + own, clock: clock, network: network)
      brokers.append(broker)
      network.join(broker, host: Self.host(broker.config.nodeId), port: Self.port)
    }
  }

  subscript(_ broker: BrokerID) -> SimulatedBroker { brokers[Int(broker.value) - 1] }

  /// The record with which a broker registers.
  static func registration(_ broker: BrokerID, epoch: Int64, host: String? = nil, port: Int32 = port) -> BrokerRecord {
    BrokerRecord(
      brokerId: broker.value, brokerEpoch: epoch,
      endpoints: [.init(name: "PLAINTEXT", host: host ?? Self.host(broker), port: port, securityProtocol: 0)])
  }

  /// Makes the brokers known to one another: in the images of their shards only, past every controller.
  func introduce() {
    let records = brokers.map { MetadataRecord.broker(Self.registration($0.config.nodeId, epoch: 1)) }
    for broker in brokers { broker.apply(records) }
    settle()
  }

  // MARK: turns

  /// Turns until nothing is left to do but wait.
  func settle() {
    for _ in 0..<10_000 {
      for broker in brokers { broker.settle() }
      if brokers.allSatisfy({ !$0.hasInput }) { return }
    }
    Issue.record("the cluster never comes to rest")
  }

  /// The same in a random order.
  func settleRandomly() {
    for _ in 0..<1_000_000 {
      brokers[random.below(brokers.count)].stepRandomly()
      if brokers.allSatisfy(\.isAtRest) { return }
    }
    Issue.record("the cluster never comes to rest")
  }

  /// Moves the clock, with a turn at each deadline and each arrival on the way.
  func advance(ms: Int64) {
    let end = clock.now().advanced(byMilliseconds: ms)
    settle()
    while clock.now() < end {
      let deadlines = brokers.flatMap(\.shards).compactMap(\.nextDeadline) + [network.nextArrival].compactMap { $0 }
      let next = min(deadlines.min() ?? end, end)
      clock.advance(ms: max(1, next.milliseconds(since: clock.now())))
      settle()
    }
  }
}

extension SimulatedBroker {
  /// Applies records to the image of every shard, past the controller.
  func apply(_ records: [MetadataRecord]) {
    for shard in shards {
      var image = shard.image
      for record in records { image.replay(record, at: image.nextOffset) }
      shard.beginTurn()
      shard.apply(
        image, ClusterDelta.collect(records, before: shard.image, after: image),
        sequence: shard.heldLogs.image + 1)
      _ = shard.endTurn()
    }
  }
}
