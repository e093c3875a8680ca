import Cluster
import Configuration
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// Brokers that talk to one another over a network that a test bends.
@Suite struct ShardPeersTests {
  private static let one = BrokerID(1)
  private static let two = BrokerID(2)

  /// What became of the requests that a test sent.
  private final class Outcomes {
    var all: [String] = []
    func note(_ name: String) -> (PeerOutcome) -> Void {
      { [unowned self] outcome in
        switch outcome {
        case .answer(let response, _): all.append("\(name): \(response.apiKey.name)")
        case .failed(let failure): all.append("\(name): \(failure)")
        }
      }
    }
  }

  private let outcomes = Outcomes()

  private func pair(_ settings: [(name: String, value: String)] = []) throws -> SimulatedCluster {
    let cluster = try SimulatedCluster(brokers: 2, settings: settings)
    cluster.introduce()
    return cluster
  }

  private func send(
    _ name: String, _ cluster: SimulatedCluster, _ request: Request = .describeCluster(DescribeClusterRequest()),
    version: Int16 = 0, lane: PeerLane = .control, timeoutMs: Int64? = nil
  ) {
    let shard = cluster[Self.one].shards[0]
    shard.beginTurn()
    shard.send(
      request, version: version, to: Self.two, lane: lane, timeoutMs: timeoutMs, handler: outcomes.note(name))
    _ = shard.endTurn()
  }

  private func connectionCount(_ cluster: SimulatedCluster) -> Int {
    cluster[Self.two].shards.reduce(0) { $0 + $1.openConnectionCount }
  }

  @Test func twoBrokersTalk() throws {
    let cluster = try pair()
    cluster.network.delayMs = 1...9
    for number in 0..<30 { send("\(number)", cluster) }
    cluster.advance(ms: 100)
    #expect(outcomes.all == (0..<30).map { "\($0): DescribeCluster" })
    #expect(cluster.network.dialCount == 1 && connectionCount(cluster) == 1)
  }

  @Test func aFetchThatWaitsHoldsNothingUpOnTheOtherLane() throws {
    let cluster = try pair()
    let client = cluster[Self.two].connect()
    let creation = CreateTopicsRequest(topics: [.init(name: "t", numPartitions: 1, replicationFactor: 1)])
    client.send(.createTopics(creation), version: 7, key: .createTopics)
    cluster.settle()
    let fetch = FetchRequest(
      maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20,
      topics: [.init(topic: "t", partitions: [.init(partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20)])])
    send("fetch", cluster, .fetch(fetch), version: 12, lane: .replication)
    send("behind", cluster, lane: .replication)
    send("beside", cluster)
    cluster.advance(ms: 100)
    #expect(outcomes.all == ["beside: DescribeCluster"])
    cluster.advance(ms: 500)
    #expect(outcomes.all == ["beside: DescribeCluster", "fetch: Fetch", "behind: DescribeCluster"])
  }

  /// Whoever tries again from its handler is held to the pace of the back-off, and does not keep the shard spinning.
  @Test(arguments: [true, false])
  func triesAgainAreSpacedOut(isKnown: Bool) throws {
    let cluster = try SimulatedCluster(brokers: 2)
    if isKnown { cluster.introduce() }
    cluster.network.refusing = [Self.two]
    let shard = cluster[Self.one].shards[0]
    var failures: [PeerFailure] = []
    func again() {
      shard.send(.describeCluster(DescribeClusterRequest()), version: 0, to: Self.two, lane: .control) { outcome in
        guard case .failed(let failure) = outcome else { return }
        failures.append(failure)
        again()
      }
    }
    shard.beginTurn()
    again()
    _ = shard.endTurn()
    cluster.advance(ms: 10_000)
    #expect(failures.allSatisfy { $0 == .unreachable })
    #expect((9...20).contains(failures.count), "\(failures.count) tries in 10 s")
    #expect(cluster.network.dialCount == (isKnown ? failures.count : 0))
    cluster.network.refusing = []
    cluster.introduce()
    cluster.advance(ms: 1300)
    #expect(cluster[Self.one].shards[0].peers.values.first?.inFlight.count == 0)
    #expect(connectionCount(cluster) == 1)
    let lines = cluster[Self.one].log.all
    #expect(lines.count { $0.contains("no connection to broker 2") } == 1, "of a row of failures one is told")
    let again = lines.count { $0.contains("broker 2 at broker-2:9092 (control) answers again") }
    #expect(again == (isKnown ? 1 : 0), "a broker that has moved begins a new row")
  }

  @Test func aConnectionThatNeverComesAboutIsGivenUp() throws {
    let cluster = try pair()
    cluster.network.cut(from: Self.one, to: Self.two)
    send("patient", cluster, timeoutMs: 60_000)
    send("hasty", cluster, timeoutMs: 500)
    cluster.advance(ms: 499)
    #expect(outcomes.all == [])
    cluster.advance(ms: 2)
    #expect(outcomes.all == ["hasty: timedOut"])
    // socket.connection.setup.timeout.ms, give or take a fifth.
    cluster.advance(ms: 7400)
    #expect(outcomes.all.count == 1)
    cluster.advance(ms: 4200)
    #expect(outcomes.all == ["hasty: timedOut", "patient: unreachable"])
  }

  @Test func aRequestWithoutAnAnswerTakesItsConnectionWithIt() throws {
    let cluster = try pair()
    send("before", cluster)
    cluster.advance(ms: 1)
    cluster.network.cut(from: Self.two, to: Self.one)
    send("hasty", cluster, timeoutMs: 300)
    send("patient", cluster)
    cluster.advance(ms: 299)
    #expect(outcomes.all == ["before: DescribeCluster"])
    cluster.advance(ms: 2)
    #expect(
      outcomes.all == ["before: DescribeCluster", "hasty: timedOut", "patient: disconnected(sent: true)"])
    cluster.network.healAll()
    send("after", cluster)
    cluster.advance(ms: 100)
    #expect(outcomes.all.last == "after: DescribeCluster")
    #expect(cluster.network.dialCount == 2)
  }

  @Test func theUsualTimeIsRequestTimeoutMsAndForFetchesReplicaSocketTimeoutMs() throws {
    let cluster = try pair([
      (name: "request.timeout.ms", value: "2000"), (name: "replica.socket.timeout.ms", value: "3000"),
    ])
    cluster.network.cut(from: Self.two, to: Self.one)
    send("control", cluster)
    send("replication", cluster, lane: .replication)
    cluster.advance(ms: 1999)
    #expect(outcomes.all == [])
    cluster.advance(ms: 10)
    #expect(outcomes.all == ["control: timedOut"])
    cluster.advance(ms: 1000)
    #expect(outcomes.all == ["control: timedOut", "replication: timedOut"])
  }

  @Test(arguments: [false, true])
  func aBrokerThatDiesIsNoticed(isMachineGone: Bool) throws {
    let cluster = try pair()
    cluster.network.delayMs = 5...5
    send("before", cluster)
    cluster.advance(ms: 100)
    send("under way", cluster, timeoutMs: 1000)
    cluster.network.dropConnections(of: Self.two, isMachineGone: isMachineGone)
    cluster.advance(ms: 50)
    #expect(outcomes.all.count == (isMachineGone ? 1 : 2), "a dead machine says nothing")
    cluster.advance(ms: 1000)
    #expect(outcomes.all.last == (isMachineGone ? "under way: timedOut" : "under way: disconnected(sent: true)"))
    try cluster[Self.two].crash()
    send("after", cluster)
    cluster.advance(ms: 1000)
    #expect(outcomes.all.last == "after: DescribeCluster")
  }

  /// What has not left wholly cannot have been acted on, and whoever asked may rely on that.
  @Test func partOfARequestIsNotSent() throws {
    let cluster = try pair()
    cluster.network.windowBytes = 4096
    send("before", cluster)
    cluster.advance(ms: 1)
    cluster.network.cut(from: Self.one, to: Self.two)
    let topics = (0..<1000).map { MetadataRequest.MetadataRequestTopic(name: "topic-\($0)") }
    send("whole", cluster)
    send("part", cluster, .metadata(MetadataRequest(topics: topics)), version: 9)
    send("none", cluster)
    cluster.network.dropConnections(of: Self.two)
    cluster.advance(ms: 1)
    #expect(
      outcomes.all == [
        "before: DescribeCluster", "whole: disconnected(sent: true)", "part: disconnected(sent: false)",
        "none: disconnected(sent: false)",
      ])
  }

  @Test func largeRequestsAndAnswersPassThroughANarrowNetwork() throws {
    let cluster = try pair()
    cluster.network.windowBytes = 1000
    cluster.network.pieceBytesMax = 700
    cluster.network.delayMs = 0...3
    let topics = (0..<1000).map { MetadataRequest.MetadataRequestTopic(name: "topic-\($0)") }
    for number in 0..<5 { send("\(number)", cluster, .metadata(MetadataRequest(topics: topics)), version: 9) }
    cluster.advance(ms: 5000)
    #expect(outcomes.all == (0..<5).map { "\($0): Metadata" })
  }

  @Test func aBrokerThatWasStartedAnewGetsANewConnection() throws {
    let cluster = try pair()
    cluster.network.delayMs = 10...10
    send("before", cluster)
    cluster.advance(ms: 100)
    send("to its former self", cluster)
    cluster[Self.one].apply([.broker(SimulatedCluster.registration(Self.two, epoch: 2))])
    cluster.settle()
    #expect(outcomes.all.last == "to its former self: disconnected(sent: true)")
    send("to its new self", cluster)
    cluster.advance(ms: 100)
    #expect(outcomes.all.last == "to its new self: DescribeCluster")
    #expect(cluster.network.dialCount == 2 && connectionCount(cluster) == 1)
    // A change that has nothing to do with the way there.
    var fenced = SimulatedCluster.registration(Self.two, epoch: 2)
    fenced.isFenced = true
    cluster[Self.one].apply([.broker(fenced)])
    cluster.advance(ms: 100)
    #expect(connectionCount(cluster) == 1)
  }

  @Test func whatWaitsForABrokerFollowsItToItsNewAddress() throws {
    let cluster = try pair()
    cluster[Self.one].apply([.broker(SimulatedCluster.registration(Self.two, epoch: 1, host: "elsewhere"))])
    cluster.network.delayMs = 50...50
    send("patient", cluster)
    cluster.advance(ms: 10)
    cluster[Self.one].apply([.broker(SimulatedCluster.registration(Self.two, epoch: 1))])
    cluster.advance(ms: 300)
    #expect(outcomes.all == ["patient: DescribeCluster"])
  }

  @Test func nothingIsLeftOfABrokerThatHasGone() throws {
    let cluster = try pair()
    cluster.network.delayMs = 10...10
    send("before", cluster)
    cluster.advance(ms: 100)
    send("under way", cluster)
    cluster[Self.one].apply([.removeBroker(RemoveBrokerRecord(brokerId: 2))])
    cluster.advance(ms: 100)
    #expect(outcomes.all == ["before: DescribeCluster", "under way: disconnected(sent: true)"])
    #expect(connectionCount(cluster) == 0 && cluster[Self.one].shards[0].peers.isEmpty)
    send("to nobody", cluster)
    cluster.advance(ms: 100)
    #expect(outcomes.all.last == "to nobody: unreachable")
    #expect(cluster[Self.one].shards[0].peers.isEmpty)
  }

  @Test func brokersUseTheListenerThatIsTheirs() throws {
    let cluster = try pair([
      (name: "listeners", value: "PLAINTEXT://127.0.0.1:9092,INSIDE://127.0.0.1:9093"),
      (name: "inter.broker.listener.name", value: "inside"),
      (name: "listener.security.protocol.map", value: "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT"),
    ])
    send("no such listener", cluster)
    cluster.advance(ms: 10)
    var registration = SimulatedCluster.registration(Self.two, epoch: 1, host: "nowhere")
    registration.endpoints.append(
      .init(name: "INSIDE", host: SimulatedCluster.host(Self.two), port: SimulatedCluster.port, securityProtocol: 0))
    cluster[Self.one].apply([.broker(registration)])
    send("inside", cluster)
    cluster.advance(ms: 100)
    #expect(outcomes.all == ["no such listener: unreachable", "inside: DescribeCluster"])
  }

  @Test func whatHasNothingToDoIsClosedBeforeTheOtherSideDoes() throws {
    let cluster = try pair([(name: "connections.max.idle.ms", value: "10000")])
    send("one", cluster)
    cluster.advance(ms: 7000)
    #expect(connectionCount(cluster) == 1)
    send("two", cluster)
    cluster.advance(ms: 7000)
    #expect(connectionCount(cluster) == 1, "it was used meanwhile")
    cluster.advance(ms: 1000)
    #expect(connectionCount(cluster) == 0)
    send("three", cluster)
    cluster.advance(ms: 1)
    #expect(outcomes.all.count == 3 && cluster.network.dialCount == 2)
  }

  @Test func aStopTellsEverybodyWhoWaits() throws {
    let cluster = try pair()
    cluster.network.delayMs = 10...10
    send("before", cluster)
    cluster.advance(ms: 100)
    send("under way", cluster)
    send("not begun", cluster, lane: .replication)
    let shard = cluster[Self.one].shards[0]
    shard.beginStop()
    send("too late", cluster)
    cluster.settle()
    #expect(
      outcomes.all == [
        "before: DescribeCluster", "under way: disconnected(sent: true)", "not begun: unreachable",
        "too late: unreachable",
      ])
    #expect(shard.isDrained)
    cluster.advance(ms: 100)
    #expect(connectionCount(cluster) == 0)
  }

  @Test func aBrokerThatIsAloneReachesNobody() throws {
    let broker = try SimulatedBroker()
    broker.apply([.broker(SimulatedCluster.registration(Self.two, epoch: 1))])
    let shard = broker.shards[0]
    shard.send(
      .describeCluster(DescribeClusterRequest()), version: 0, to: Self.two, lane: .control, handler: outcomes.note("x"))
    #expect(outcomes.all == [], "never from within")
    broker.settle()
    #expect(outcomes.all == ["x: unreachable"])
  }
}
