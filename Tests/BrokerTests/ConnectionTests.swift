import Cluster
import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct ConnectionTests {
  // MARK: frames

  @Test func framesMayBeSplitAnywhere() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    client.sendApiVersions()
    client.sendProduce("orders", 0, ["one"])
    client.sendProduce("orders", 0, ["two"])
    client.sendFetch("orders", from: 0)
    let bytes = client.outgoing
    let wanted = bytes.count
    client.outgoing = []
    broker.settle()
    for cut in 1..<wanted {
      let client = broker.connect()
      client.sendApiVersions()
      client.sendProduce("orders", 0, ["one"])
      client.sendProduce("orders", 0, ["two"])
      client.sendFetch("orders", from: 0)
      let bytes = client.outgoing
      client.outgoing = Array(bytes[..<cut])
      broker.settle()
      client.outgoing += bytes[cut...]
      broker.settle()
      let answers = client.take()
      try #require(answers.count == 4, "split after byte \(cut): \(answers.count) answers")
      #expect(answers[3].fetched[0].records.first == SeenRecord(offset: 0, value: "one"))
      #expect(broker.shards[0].requestBytesHeld == 0)
      broker.disconnect(client)
    }
    #expect(try broker.readAll("orders").count == 2 * (wanted - 1))
  }

  @Test func bytesMayComeOneByOne() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    for value in ["one", "two", "three"] {
      client.sendProduce("orders", 0, [value])
      client.sendApiVersions()
    }
    let bytes = client.outgoing
    for byte in bytes {
      client.outgoing = [byte]
      broker.settle()
    }
    #expect(client.take().count == 6)
    #expect(try broker.readAll("orders").map(\.value) == ["one", "two", "three"])
  }

  @Test(arguments: [
    [0xff, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0, 0, 0, 7],
    Array("GET / HTTP/1.1".utf8), [0x16, 0x03, 0x01, 0x02, 0x00],
  ])
  func aFrameOfAnImpossibleSizeClosesOnlyItsConnection(start: [UInt8]) throws {
    let broker = try SimulatedBroker()
    let good = broker.connect()
    let bad = broker.connect()
    good.sendApiVersions()
    bad.outgoing = start
    broker.settle()
    #expect(bad.isClosed)
    #expect(good.take().count == 1)
    good.sendApiVersions()
    broker.settle()
    #expect(good.take().count == 1)
    #expect(broker.shards[0].openConnectionCount == 1)
    #expect(broker.shards[0].requestBytesHeld == 0)
  }

  @Test func unknownApisAndVersionsCloseTheConnection() throws {
    let broker = try SimulatedBroker()
    for (key, version): (Int16, Int16) in [(999, 0), (-1, 0), (0, 99), (0, 2), (1, -1), (17, 0), (3, 99)] {
      let client = broker.connect()
      client.outgoing = [0, 0, 0, 10]
      for number in [key, version, 0, 5, -1] {
        client.outgoing += [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
      }
      broker.settle()
      #expect(client.isClosed, "key \(key) version \(version)")
    }
  }

  @Test func requestsThatAreCutShortCloseTheConnectionAndNothingElse() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let whole = broker.connect()
    let frame = whole.frame(
      .produce(
        ProduceRequest(
          acks: -1, topicData: [.init(name: "orders", partitionData: [.init(index: 0, records: .bytes(batch(["x"])))])])
      ),
      version: 9, key: .produce)
    for count in 8..<(frame.count - 4) {
      let client = broker.connect()
      client.expect(.produce, 9)
      client.outgoing = [0, 0, 0, UInt8(count)] + frame[4..<4 + count]
      broker.settle()
      #expect(client.isClosed || client.take().count == 1, "cut to \(count) bytes")
    }
    #expect(try broker.readAll("orders").isEmpty)
  }

  @Test(arguments: [0, 1]) func whatCameBeforeABadRequestIsAnswered(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let partition = try broker.partition(of: "orders", on: shard)
    let endings: [[UInt8]] = [
      Array("GET / HTTP/1.1".utf8),
      // An unknown API, and a Metadata request that ends early.
      [0, 0, 0, 8, 3, 0xe7, 0, 0, 0, 0, 0, 9], [0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 0x7f, 0xff],
      [],
    ]
    for (number, ending) in endings.enumerated() {
      let client = broker.connect(to: 0)
      client.sendProduce("orders", partition, ["kept"])
      client.outgoing += ending
      if ending.isEmpty { client.sendProduce("nowhere", 0, ["lost"], acks: 0) }
      client.outgoing += [UInt8](repeating: 0, count: 100)
      broker.settle()
      #expect(client.take().map { $0.produced[0].baseOffset } == [Int64(number)])
      #expect(client.isClosed)
    }
    #expect(broker.shards[0].openConnectionCount == 0 && broker.shards[0].requestBytesHeld == 0)
  }

  // MARK: order

  @Test func overlappingProducesAreAnsweredInOrder() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let near = try broker.partition(of: "orders", on: 0)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", far, ["slow"])
    client.sendProduce("orders", near, ["fast"])
    client.sendProduce("orders", near, ["fast too"])
    client.sendProduce("orders", far, ["slow too"])
    // This shard has done its part, and must not answer before the other has.
    broker.turn(0)
    broker.turn(0)
    #expect(client.take().isEmpty)
    broker.settle()
    let answers = client.take()
    #expect(answers.map { $0.produced[0].index } == [far, near, near, far])
    #expect(answers.map { $0.produced[0].baseOffset } == [0, 0, 1, 1])
  }

  @Test func otherRequestsWaitForTheProducesBeforeThem() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", far, ["first"])
    client.sendFetch("orders", far, from: 0)
    client.sendProduce("orders", far, ["second"])
    broker.turn(0)
    #expect(broker.shards[0].connection(client.id)?.inFlight.count == 1)
    #expect(client.isPaused, "what may not start stays with the kernel")
    broker.settle()
    let answers = client.take()
    #expect(answers[1].fetched[0].records == [SeenRecord(offset: 0, value: "first")])
    #expect(answers[2].produced[0].baseOffset == 1)
    #expect(!client.isPaused)
  }

  @Test func onlySoManyProducesOverlap() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    for number in 0..<Connection.producesInFlightMax + 44 { client.sendProduce("orders", far, ["\(number)"]) }
    broker.turn(0)
    #expect(broker.shards[0].connection(client.id)?.inFlight.count == Connection.producesInFlightMax)
    broker.settle()
    #expect(
      client.take().map { $0.produced[0].baseOffset } == (0..<Int64(Connection.producesInFlightMax + 44)).map { $0 })
  }

  @Test func acks0BetweenOthersKeepsTheOrder() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let near = try broker.partition(of: "orders", on: 0)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", far, ["0"])
    client.sendProduce("orders", near, ["quiet"], acks: 0)
    client.sendProduce("orders", far, ["quiet"], acks: 0)
    client.sendProduce("orders", near, ["1"])
    client.sendApiVersions()
    broker.settle()
    let answers = client.take()
    #expect(answers.count == 3)
    #expect(answers[0].produced.first?.index == far && answers[1].produced.first?.index == near)
  }

  @Test func anAnswerNeverReachesTheNextConnectionOfTheSlot() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", far, ["mine"])
    broker.turn(0)
    broker.disconnect(client)
    let next = SimulatedClient(
      id: ConnectionID(slot: client.id.slot, generation: client.id.generation + 1), shard: 0)
    broker.networks[0].clients[next.id] = next
    broker.shards[0].opened(
      next.id, PeerAddress(host: "10.0.0.2", port: 1, localHost: "127.0.0.1", localPort: 9092, listener: 0))
    broker.settle()
    #expect(next.answers.isEmpty && next.bytesReceivedCount == 0)
    #expect(try broker.readAll("orders", far).map(\.value) == ["mine"])
  }

  // MARK: back-pressure

  @Test func aClientThatDoesNotReadStopsItsOwnRequests() throws {
    let broker = try SimulatedBroker()
    let client = broker.connect()
    client.roomByteCount = 10
    for _ in 0..<1000 { client.sendApiVersions() }
    broker.settle()
    let connection = try #require(broker.shards[0].connection(client.id))
    #expect(connection.isOutputBlocked)
    #expect(client.bytesReceivedCount == 10)
    let held = connection.output?.count ?? 0
    #expect(held > 0 && held < Connection.outputBytesMax + 2000, "a few answers wait, not a thousand: \(held) bytes")
    #expect(client.isPaused)
    // A little room changes little; all the room lets everything through, in order.
    broker.drain(client, 5)
    #expect(client.bytesReceivedCount == 15)
    var rounds = 0
    while client.waitingCount > 0, rounds < 10_000 {
      broker.drain(client, 300)
      broker.settle()
      rounds += 1
    }
    #expect(client.take().count == 1000)
    #expect(!client.isPaused)
    #expect(broker.shards[0].requestBytesHeld == 0)
  }

  @Test func filesAreSentInAsManyPiecesAsItTakes() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders", partitions: 2)
    let value = String(repeating: "y", count: 50_000)
    let client = broker.connect()
    client.sendProduce("orders", 0, [value])
    client.sendProduce("orders", 1, [value])
    broker.settle()
    #expect(client.take().count == 2)
    client.roomByteCount = 7
    client.sendFetch([("orders", 0, 0), ("orders", 1, 0)])
    client.sendApiVersions()
    broker.settle()
    while client.waitingCount > 0, !client.isClosed {
      broker.drain(client, 3001)
      broker.settle()
    }
    let answers = client.take()
    #expect(answers[0].fetched.map { $0.records.map(\.value) } == [[value], [value]])
    #expect(answers.count == 2)
  }

  @Test func aBrokenConnectionIsForgotten() throws {
    let broker = try SimulatedBroker()
    let client = broker.connect()
    client.fails = true
    client.sendApiVersions()
    broker.settle()
    #expect(client.isClosed)
    #expect(broker.shards[0].openConnectionCount == 0)
  }

  // MARK: limits

  private static let smallLimits = [
    (name: "socket.request.max.bytes", value: "1000"), (name: "queued.max.request.bytes", value: "1000"),
  ]

  /// The first `count` bytes of a frame of `size` bytes.
  private static func part(_ count: Int, ofFrame size: Int) -> [UInt8] {
    [0, 0, UInt8(size >> 8), UInt8(size & 255)] + [UInt8](repeating: 0, count: count - 4)
  }

  @Test func requestsInPiecesShareTheMemorySetAsideForThem() throws {
    let broker = try SimulatedBroker(settings: Self.smallLimits)
    let first = broker.connect()
    let second = broker.connect()
    first.outgoing = Self.part(600, ofFrame: 990)
    broker.settle()
    #expect(!first.isPaused)
    second.outgoing = Self.part(600, ofFrame: 990)
    broker.settle()
    #expect(second.isPaused, "no more is read from who goes beyond the limit")
    broker.disconnect(first)
    broker.settle()
    #expect(!second.isPaused, "memory is free again")
    #expect(broker.shards[0].requestBytesHeld == 600)
    broker.advance(ms: 6000)
    #expect(!second.isClosed, "who was let go on is not closed for having waited before")
    broker.disconnect(second)
    #expect(broker.shards[0].requestBytesHeld == 0)
  }

  @Test func whoHoldsHalfARequestWhileMemoryIsShortMustGo() throws {
    let broker = try SimulatedBroker(settings: Self.smallLimits)
    let first = broker.connect()
    let second = broker.connect()
    first.outgoing = Self.part(600, ofFrame: 990)
    second.outgoing = Self.part(600, ofFrame: 990)
    broker.settle()
    broker.advance(ms: 4990)
    #expect(!first.isClosed && !second.isClosed)
    broker.advance(ms: 20)
    #expect(!first.isClosed && second.isClosed)
    #expect(broker.shards[0].requestBytesHeld == 600)
  }

  @Test func eachShortageOfMemoryHasItsOwnPatience() throws {
    let broker = try SimulatedBroker(settings: Self.smallLimits)
    let first = broker.connect()
    let second = broker.connect()
    first.outgoing = Self.part(600, ofFrame: 990)
    second.outgoing = Self.part(500, ofFrame: 990)
    broker.settle()
    #expect(second.isPaused)
    broker.advance(ms: 4000)
    broker.disconnect(first)
    broker.settle()
    let third = broker.connect()
    third.outgoing = Self.part(400, ofFrame: 990)
    broker.settle()
    second.outgoing = [UInt8](repeating: 0, count: 200)
    broker.settle()
    #expect(second.isPaused)
    broker.advance(ms: 2000)
    #expect(!second.isClosed, "it has waited 2 seconds of 5 this time")
    broker.advance(ms: 3100)
    #expect(second.isClosed)
  }

  @Test func memoryOfRequestsForOtherShardsIsGivenBackWithTheirAnswers() throws {
    let broker = try SimulatedBroker(shards: 2, settings: Self.smallLimits)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let producer = broker.connect(to: 0)
    let other = broker.connect(to: 0)
    producer.sendProduce("orders", far, [String(repeating: "m", count: 700)])
    broker.turn(0)
    other.outgoing = Self.part(600, ofFrame: 990)
    broker.turn(0)
    #expect(other.isPaused)
    broker.settle()
    #expect(producer.take().count == 1)
    #expect(!other.isPaused, "who waits for memory is told when an answer gives it back")
    broker.advance(ms: 5100)
    #expect(!other.isClosed)
  }

  @Test func requestMemoryMayBeUnlimited() throws {
    let broker = try SimulatedBroker(settings: [
      (name: "socket.request.max.bytes", value: "1000"), (name: "queued.max.request.bytes", value: "-1"),
    ])
    let clients = (0..<10).map { _ in broker.connect() }
    for client in clients { client.outgoing = Self.part(600, ofFrame: 990) }
    broker.settle()
    #expect(clients.allSatisfy { !$0.isPaused })
  }

  @Test func anIdleConnectionIsClosedInTime() throws {
    let broker = try SimulatedBroker(settings: [(name: "connections.max.idle.ms", value: "3000")])
    let idle = broker.connect()
    let busy = broker.connect()
    for _ in 0..<4 {
      broker.advance(ms: 1000)
      busy.sendApiVersions()
      broker.settle()
    }
    #expect(idle.isClosed)
    #expect(!busy.isClosed)
    broker.advance(ms: 4100)
    #expect(busy.isClosed)
  }

  @Test func aConnectionThatWaitsForAnAnswerIsNotIdle() throws {
    let broker = try SimulatedBroker(settings: [(name: "connections.max.idle.ms", value: "2000")])
    try broker.create("orders")
    let client = broker.connect()
    client.sendFetch("orders", from: 0, maxWaitMs: 10_000)
    broker.settle()
    broker.advance(ms: 9000)
    #expect(!client.isClosed)
    broker.advance(ms: 1100)
    #expect(client.take().count == 1)
  }

  @Test func aNegativeIdleTimeKeepsConnectionsForGood() throws {
    let broker = try SimulatedBroker(settings: [(name: "connections.max.idle.ms", value: "-1")])
    let client = broker.connect()
    broker.settle()
    broker.advance(ms: 2000)
    #expect(!client.isClosed)
    client.sendApiVersions()
    broker.settle()
    #expect(client.take().count == 1)
  }

  @Test func aStoppingBrokerAnswersWhatItHasAndStartsNothingNew() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", far, ["kept"])
    client.sendApiVersions()
    broker.turn(0)
    for shard in broker.shards { shard.beginStop() }
    broker.settle()
    #expect(client.answers.map { $0.produced.first?.errorCode } == [ErrorCode.none])
    #expect(client.isClosed)
    #expect(broker.shards.allSatisfy { $0.isDrained })
  }
}
