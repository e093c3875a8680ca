import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// One real shard, and a test that plays the broker it talks to.
final class PlayedPeer {
  let broker: SimulatedBroker
  static let other = BrokerID(2)
  private(set) var outcomes: [Outcome] = []
  private var sentCount = 0

  /// What a request came to; of an answer, the name of the one topic in it.
  enum Outcome: Hashable {
    case answer(Int, topic: String)
    case failed(Int, PeerFailure)
  }

  init() throws {
    broker = try SimulatedBroker()
    broker.networks[0].isPlayed = true
    broker.apply([.broker(SimulatedCluster.registration(Self.other, epoch: 1))])
  }

  var shard: Shard { broker.shards[0] }
  var network: SimulatedNetwork { broker.networks[0] }
  /// The latest connection.
  var connection: ConnectionID? { network.dialled.last }
  var isConnected: Bool { connection.map { network.written[$0] != nil } ?? false }

  func turn(_ body: () -> Void = {}) {
    shard.beginTurn()
    body()
    _ = shard.endTurn()
  }

  /// Asks for a topic whose name is the request's number.
  func send(_ lane: PeerLane = .control, timeoutMs: Int64? = nil, answerBytesMax: Int = 1 << 20) {
    turn { add(lane, timeoutMs: timeoutMs, answerBytesMax: answerBytesMax) }
  }

  /// The same within a turn.
  func add(
    _ lane: PeerLane = .control, timeoutMs: Int64? = nil, answerBytesMax: Int = 1 << 20,
    then: @escaping (PeerOutcome) -> Void = { _ in }
  ) {
    let number = sentCount
    sentCount += 1
    let request = MetadataRequest(topics: [.init(name: "\(number)")], allowAutoTopicCreation: false)
    shard.send(
      .metadata(request), version: 9, to: Self.other, lane: lane, timeoutMs: timeoutMs, answerBytesMax: answerBytesMax
    ) { [unowned self] outcome in
      switch outcome {
      case .answer(.metadata(let response), _): outcomes.append(.answer(number, topic: response.topics[0].name ?? ""))
      case .answer(let response, _): Issue.record("an answer of another kind: \(response)")
      case .failed(let failure): outcomes.append(.failed(number, failure))
      }
      then(outcome)
    }
  }

  func connect() { turn { if let connection { shard.connected(connection) } } }
  func close() { turn { if let connection { shard.closed(connection) } } }
  func receive(_ bytes: [UInt8]) {
    turn { if let connection { bytes.withUnsafeBytes { shard.received(connection, $0) } } }
  }

  /// Moves the clock, with a turn at each deadline.
  func advance(ms: Int64) { broker.advance(ms: ms) }

  /// A whole answer to a request of that number, which is `correlation` minus one of the lane where nothing else is said.
  static func answer(_ number: Int, correlation: Int32? = nil, more: [UInt8] = []) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    writer.int32(0)
    writer.int32(correlation ?? Int32(number + 1))
    writer.int8(0)
    Response.metadata(MetadataResponse(topics: [.init(name: "\(number)")])).encode(into: &writer, version: 9)
    buffer.append(more)
    buffer.base.storeBigEndian(Int32(buffer.end - 4), at: 0)
    return Array(buffer.bytes)
  }

  var requestCount: Int { shard.peers.values.reduce(0) { $0 + $1.requestCount } }
}
