import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// What one connection makes of the bytes that come, and of those that cannot leave.
@Suite struct PeerTests {
  @Test func nothingIsSentBeforeThereIsAConnection() throws {
    let peer = try PlayedPeer()
    peer.send()
    let connection = try #require(peer.connection)
    #expect(peer.network.written[connection]?.isEmpty == true)
    peer.connect()
    let frame = try #require(peer.network.written[connection])
    frame.withUnsafeBytes { bytes in
      var reader = Reader(bytes)
      #expect(Int(reader.int32()) == bytes.count - 4)
      let header = RequestHeader.decode(from: &reader)
      #expect(header.requestApiKey == APIKey.metadata.rawValue && header.requestApiVersion == 9)
      #expect(header.correlationId == 1 && header.clientId?.hasPrefix("ottla-broker-1-") == true)
      #expect(MetadataRequest.decode(from: &reader, version: 9).topics?.first?.name == "0")
      #expect(reader.failure == nil && reader.remaining == 0)
    }
  }

  @Test func answersInPiecesAndInOneAreTheSame() throws {
    for pieceBytes in [1, 2, 3, 5, 7, 64, 1000] {
      let peer = try PlayedPeer()
      for _ in 0..<20 { peer.send() }
      peer.connect()
      let bytes = (0..<20).flatMap { PlayedPeer.answer($0) }
      for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
        peer.receive(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
      }
      #expect(peer.outcomes == (0..<20).map { .answer($0, topic: "\($0)") })
      #expect(peer.isConnected && peer.requestCount == 0)
    }
  }

  @Test func whatTheNetworkDoesNotTakeWaits() throws {
    let peer = try PlayedPeer()
    for _ in 0..<3 { peer.send() }
    peer.network.playedRoom = 10
    peer.connect()
    let connection = try #require(peer.connection)
    #expect(peer.network.written[connection]?.count == 10)
    peer.turn()
    #expect(peer.network.written[connection]?.count == 10, "nobody said that there is room")
    while peer.shard.peers.values.contains(where: { !$0.waiting.isEmpty }) {
      peer.network.playedRoom = 7
      peer.turn { peer.shard.writable(connection) }
    }
    for number in 0..<3 { peer.receive(PlayedPeer.answer(number)) }
    #expect(peer.outcomes == (0..<3).map { .answer($0, topic: "\($0)") })
  }

  /// Two requests are in flight; what comes is no answer to the first.
  private static let garbage: [(String, [UInt8])] = [
    ("the answer to the second", PlayedPeer.answer(1)),
    ("an answer to nothing", PlayedPeer.answer(0, correlation: -1)),
    ("a byte too many", PlayedPeer.answer(0, more: [0])),
    ("a short frame", [0, 0, 0, 3, 0, 0, 0]), ("an empty frame", [0, 0, 0, 0]),
    ("a negative frame", [0xff, 0xff, 0xff, 0xfe]),
    ("a frame that ends too early", Array([0, 0, 0, 4] + PlayedPeer.answer(0)[4..<8])),
    ("more than was asked for", [0, 0x10, 0, 1]), ("another protocol", Array("HTTP/1.1 400 Bad Request\r\n".utf8)),
  ]

  @Test(arguments: garbage.indices)
  func garbageEndsTheConnection(index: Int) throws {
    let (name, bytes) = Self.garbage[index]
    let peer = try PlayedPeer()
    peer.send()
    peer.send()
    peer.connect()
    peer.receive(bytes)
    #expect(peer.outcomes == [.failed(0, .badAnswer), .failed(1, .disconnected(sent: true))], "\(name)")
    #expect(!peer.isConnected, "\(name)")
    #expect(peer.broker.log.contains("no connection to broker 2"))
    peer.receive(PlayedPeer.answer(0))
    #expect(peer.outcomes.count == 2, "nothing comes behind it")
  }

  @Test func bytesThatNobodyAskedForEndTheConnection() throws {
    let peer = try PlayedPeer()
    peer.send()
    peer.connect()
    peer.receive(PlayedPeer.answer(0) + PlayedPeer.answer(1))
    #expect(peer.outcomes == [.answer(0, topic: "0")])
    #expect(!peer.isConnected)
  }

  /// Whoever answers a request that has not left has guessed.
  @Test func anAnswerBeforeItsRequestIsGarbage() throws {
    let peer = try PlayedPeer()
    peer.send()
    peer.network.playedRoom = 10
    peer.connect()
    peer.receive(PlayedPeer.answer(0))
    #expect(peer.outcomes == [.failed(0, .disconnected(sent: false))])
    #expect(!peer.isConnected)
  }

  @Test func anyBytesAtAllAreSurvived() throws {
    let random = SeededRandom(seed: 11)
    let good = (0..<4).map { PlayedPeer.answer($0) }
    for _ in 0..<1000 {
      let peer = try PlayedPeer()
      for _ in 0..<4 { peer.send() }
      peer.connect()
      var bytes = good.flatMap { $0 }
      for _ in 0...random.below(3) where !bytes.isEmpty {
        switch random.below(4) {
        case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
        case 1: bytes.remove(at: random.below(bytes.count))
        case 2: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count))
        default: bytes.removeLast(random.below(bytes.count))
        }
      }
      while !bytes.isEmpty {
        let count = 1 + random.below(bytes.count)
        peer.receive(Array(bytes[..<count]))
        bytes.removeFirst(count)
      }
      peer.close()
      #expect(peer.outcomes.count == 4 && peer.requestCount == 0, "each request has one outcome")
    }
  }

  @Test func aHandlerMaySendAgainAndMayEndTheConnection() throws {
    let peer = try PlayedPeer()
    peer.turn {
      peer.add { [unowned peer] _ in
        peer.add()
        // The broker has been started anew: its connection ends while its answers are being read.
        peer.shard.updatePeers([PlayedPeer.other])
        var image = peer.shard.image
        image.replay(.broker(SimulatedCluster.registration(PlayedPeer.other, epoch: 2)), at: image.nextOffset)
        peer.shard.image = image
        peer.shard.updatePeers([PlayedPeer.other])
      }
      peer.add()
    }
    peer.connect()
    peer.receive(PlayedPeer.answer(0) + PlayedPeer.answer(1) + PlayedPeer.answer(2))
    #expect(peer.outcomes == [.answer(0, topic: "0"), .failed(1, .disconnected(sent: true))])
    #expect(peer.network.dialled.count == 2, "what was not sent goes where the broker is now")
    peer.connect()
    peer.receive(PlayedPeer.answer(2))
    #expect(peer.outcomes.last == .answer(2, topic: "2"))
  }

  @Test func aLargeAnswerIsTakenWhereItWasAskedFor() throws {
    let peer = try PlayedPeer()
    let large = PlayedPeer.answer(0).count - 4
    peer.send(answerBytesMax: large)
    peer.connect()
    peer.receive(PlayedPeer.answer(0))
    peer.send(answerBytesMax: large - 1)
    peer.receive(PlayedPeer.answer(1))
    #expect(peer.outcomes == [.answer(0, topic: "0"), .failed(1, .badAnswer)])
  }

  /// Half an answer, and a network that takes no more: neither is the next connection's.
  @Test func aNewConnectionBeginsAnew() throws {
    let peer = try PlayedPeer()
    peer.send()
    peer.connect()
    peer.receive(Array(PlayedPeer.answer(0).dropLast()))
    peer.network.playedRoom = 3
    peer.send()
    peer.close()
    #expect(peer.outcomes == [.failed(0, .disconnected(sent: true)), .failed(1, .disconnected(sent: false))])
    peer.network.playedRoom = nil
    peer.send()
    peer.advance(ms: 100)
    #expect(peer.network.dialled.count == 2)
    peer.connect()
    peer.receive(PlayedPeer.answer(2))
    #expect(peer.outcomes.last == .answer(2, topic: "2"))
  }

  @Test func theQueueHasAnEnd() throws {
    let peer = try PlayedPeer()
    peer.turn { for _ in 0..<Peer.requestsMax + 5 { peer.add() } }
    #expect(peer.outcomes == (Peer.requestsMax..<Peer.requestsMax + 5).map { .failed($0, .queueFull) })
    peer.connect()
    for number in 0..<Peer.requestsMax { peer.receive(PlayedPeer.answer(number)) }
    #expect(peer.outcomes.count == Peer.requestsMax + 5 && peer.isConnected)
  }
}
