import Cluster
import Configuration
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// Brokers that ask one another while the network does what it likes and brokers die: each request has one outcome, each
/// answer is the answer to its request, and in the end all can talk again.
@Suite struct PeerWalkTests {
  @Test(arguments: 1...12)
  func eachRequestHasOneOutcome(seed: UInt64) throws {
    let walk = try PeerWalk(seed: seed)
    for _ in 0..<400 { try walk.step() }
    try walk.end()
  }
}

/// One random walk.
private final class PeerWalk {
  private let cluster: SimulatedCluster
  private let random: SeededRandom
  private var sentCount = 0
  private var outcomeCounts: [Int: Int] = [:]
  private var answerCount = 0
  /// Requests of a shard that its process took with it: nobody is left to be told.
  private var runs: [BrokerID: Int] = [:]
  private var epoch: Int64 = 1

  init(seed: UInt64) throws {
    random = SeededRandom(seed: seed)
    cluster = try SimulatedCluster(
      brokers: 3, shards: 2, seed: seed, settings: [(name: "connections.max.idle.ms", value: "20000")])
    cluster.introduce()
    cluster.network.delayMs = 0...20
    cluster.network.pieceBytesMax = 100
    cluster.network.windowBytes = 300
  }

  private func anyBroker() -> BrokerID { BrokerID(Int32(1 + random.below(3))) }

  func step() throws {
    switch random.below(40) {
    case 0: cluster.network.cut(from: anyBroker(), to: anyBroker())
    case 1: cluster.network.isolate(anyBroker())
    case 2...5: cluster.network.healAll()
    case 6: cluster.network.dropConnections(of: anyBroker(), isMachineGone: random.chance(oneIn: 2))
    case 7: try crash(anyBroker())
    case 8: registerAnew(anyBroker())
    case 9...14: cluster.advance(ms: Int64(random.below(3000)))
    case 15...18: cluster.advance(ms: Int64(random.below(30)))
    case 19...22: cluster.settle()
    default: send()
    }
  }

  private func send() {
    let from = anyBroker()
    let number = sentCount
    sentCount += 1
    let run = runs[from, default: 0]
    let name = "\(number)-" + String(repeating: "x", count: random.below(200))
    let request = MetadataRequest(topics: [.init(name: name)], allowAutoTopicCreation: false)
    let shard = cluster[from].shards[random.below(2)]
    shard.beginTurn()
    shard.send(
      .metadata(request), version: 9, to: anyBroker(), lane: random.chance(oneIn: 2) ? .control : .replication,
      timeoutMs: Int64(1 + random.below(5000))
    ) { [unowned self] outcome in
      #expect(runs[from, default: 0] == run, "a process that is dead")
      outcomeCounts[number, default: 0] += 1
      if case .answer(let response, _) = outcome {
        answerCount += 1
        if case .metadata(let metadata) = response {
          #expect(metadata.topics.first?.name == name)
        } else {
          Issue.record("another answer: \(response)")
        }
      }
    }
    _ = shard.endTurn()
    waiting[from, default: []].insert(number)
  }
  private var waiting: [BrokerID: Set<Int>] = [:]

  private func crash(_ broker: BrokerID) throws {
    runs[broker, default: 0] += 1
    for number in waiting[broker] ?? [] where outcomeCounts[number] == nil { outcomeCounts[number] = 1 }
    try cluster[broker].crash()
    cluster[broker].apply(
      cluster.brokers.map { .broker(SimulatedCluster.registration($0.config.nodeId, epoch: epoch)) })
    registerAnew(broker)
  }

  private func registerAnew(_ broker: BrokerID) {
    epoch += 1
    for other in cluster.brokers {
      other.apply([.broker(SimulatedCluster.registration(broker, epoch: epoch))])
    }
  }

  func end() throws {
    cluster.network.healAll()
    cluster.advance(ms: 40_000)
    for number in 0..<sentCount { #expect(outcomeCounts[number] == 1, "request \(number)") }
    #expect(answerCount > sentCount / 4, "\(answerCount) answers to \(sentCount) requests")
    for broker in cluster.brokers {
      for shard in broker.shards {
        #expect(shard.peers.values.allSatisfy { $0.requestCount == 0 && $0.waitingBytes == 0 })
        #expect(shard.peersByConnection.isEmpty, "idle connections end")
      }
    }
    let before = answerCount
    for _ in 0..<20 { send() }
    cluster.advance(ms: 900)
    #expect(answerCount > before, "all can talk again")
  }
}
