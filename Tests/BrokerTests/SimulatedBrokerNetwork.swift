import Configuration
import Effects
import Primitives
import TestSupport

@testable import Broker

/// The network between simulated brokers: connections with a way there and a way back, each in order, each with its delay,
/// each of which can be cut. What is sent into a cut waits there, as TCP would have it, and arrives when it is healed.
final class SimulatedBrokerNetwork {
  /// A way between two brokers, in one direction.
  struct Direction: Hashable {
    let from: BrokerID
    let to: BrokerID
  }

  /// One end of a connection.
  fileprivate struct EndKey: Hashable {
    let broker: BrokerID
    let shard: Int
    let id: ConnectionID
  }

  fileprivate enum Arrival {
    /// Somebody wants to connect.
    case dialled
    case accepted
    case bytes([UInt8])
    /// The other end is gone, or never was.
    case ended
  }

  /// What goes to one end.
  fileprivate final class Way {
    let direction: Direction
    /// Nil until the other broker has taken the connection.
    var receiver: EndKey?
    var arrivals: [(at: Instant, arrival: Arrival)] = []
    var byteCount = 0
    /// The sender was told that there is no more room.
    var isFull = false
    var isReceiverPaused = false
    /// Neither end wants to know of it any more.
    var isDead = false
    init(_ direction: Direction, receiver: EndKey?) {
      self.direction = direction
      self.receiver = receiver
    }
  }

  fileprivate final class Link {
    let dialler: EndKey
    let target: BrokerID
    let there: Way
    let back: Way
    init(dialler: EndKey, target: BrokerID) {
      self.dialler = dialler
      self.target = target
      there = Way(Direction(from: dialler.broker, to: target), receiver: nil)
      back = Way(Direction(from: target, to: dialler.broker), receiver: dialler)
    }
  }

  private struct Member {
    unowned let broker: SimulatedBroker
    let host: String
    let port: Int32
    var nextShard = 0
  }

  let clock: HandClock
  let random: SeededRandom
  /// How long bytes take between any two brokers, in ms.
  var delayMs: ClosedRange<Int> = 0...0
  /// The same for single directions.
  var delaysMs: [Direction: ClosedRange<Int>] = [:]
  private(set) var cuts: Set<Direction> = []
  /// Bytes that may be under way in one direction of a connection.
  var windowBytes = 256 << 10
  /// Bytes arrive in pieces of at most so many; nil for as they were sent.
  var pieceBytesMax: Int?
  /// A broker at this address takes no connections, though it runs.
  var refusing: Set<BrokerID> = []
  /// How often a connection was tried.
  private(set) var dialCount = 0

  private var members: [BrokerID: Member] = [:]
  private var links: [Link] = []
  /// Ends that may write again and have not been told.
  private var roomFor: [EndKey] = []
  private var linksByEnd: [EndKey: Link] = [:]

  init(clock: HandClock, random: SeededRandom) {
    self.clock = clock
    self.random = random
  }

  // MARK: what a test does to it

  /// Puts a broker at an address.
  func join(_ broker: SimulatedBroker, host: String, port: Int32) {
    members[broker.config.nodeId] = Member(broker: broker, host: host, port: port)
  }

  /// Nothing arrives this way until it is healed.
  func cut(from: BrokerID, to: BrokerID) { cuts.insert(Direction(from: from, to: to)) }
  func heal(from: BrokerID, to: BrokerID) { cuts.remove(Direction(from: from, to: to)) }
  func healAll() { cuts.removeAll() }

  /// Cuts a broker off from all others, both ways.
  func isolate(_ broker: BrokerID) {
    for other in members.keys where other != broker {
      cut(from: broker, to: other)
      cut(from: other, to: broker)
    }
  }

  /// Ends all connections of a broker. Its kernel tells the other ends, unless its machine is gone: then they learn
  /// nothing.
  func dropConnections(of broker: BrokerID, isMachineGone: Bool = false) {
    for link in links where link.dialler.broker == broker || link.target == broker {
      let (toIt, fromIt) = link.target == broker ? (link.there, link.back) : (link.back, link.there)
      if let end = toIt.receiver { linksByEnd[end] = nil }
      toIt.isDead = true
      toIt.arrivals = []
      if isMachineGone { fromIt.arrivals = [] } else { push(.ended, fromIt) }
    }
    roomFor.removeAll { $0.broker == broker }
    removeDeadLinks()
  }

  // MARK: time

  /// When something arrives next, as far as it is not cut off.
  var nextArrival: Instant? {
    links.flatMap { [$0.there, $0.back] }.filter { mayArrive($0) }.compactMap { $0.arrivals.first?.at }.min()
  }

  /// Whether something is there for a shard.
  func hasArrivals(_ broker: BrokerID, _ shard: Int) -> Bool {
    roomFor.contains { $0.broker == broker && $0.shard == shard }
      || links.contains { link in [link.there, link.back].contains { isDue($0, broker, shard) } }
  }

  private func mayArrive(_ way: Way) -> Bool {
    !way.isDead && !way.isReceiverPaused && !cuts.contains(way.direction) && !way.arrivals.isEmpty
  }

  private func isDue(_ way: Way, _ broker: BrokerID, _ shard: Int) -> Bool {
    guard way.direction.to == broker, mayArrive(way), let first = way.arrivals.first, first.at <= clock.now()
    else { return false }
    // A connection that nobody has taken yet is shard 0's to deal out.
    return (way.receiver?.shard ?? 0) == shard
  }

  /// Hands a shard what has arrived for it; within its turn.
  func deliver(to broker: SimulatedBroker, _ index: Int) {
    let id = broker.config.nodeId
    let writable = roomFor.filter { $0.broker == id && $0.shard == index }
    roomFor.removeAll { $0.broker == id && $0.shard == index }
    for end in writable { broker.shards[index].writable(end.id) }
    for link in links {
      for way in [link.there, link.back] {
        while isDue(way, id, index) { deliver(way.arrivals.removeFirst().arrival, way, link, broker) }
      }
    }
    removeDeadLinks()
  }

  private func deliver(_ arrival: Arrival, _ way: Way, _ link: Link, _ broker: SimulatedBroker) {
    switch arrival {
    case .dialled: accept(link, broker)
    case .accepted:
      if let end = way.receiver { broker.shards[end.shard].connected(end.id) }
    case .ended:
      if let end = way.receiver { broker.shards[end.shard].closed(end.id) }
      way.isDead = true
    case .bytes(var bytes):
      guard let end = way.receiver else { return }
      if let most = pieceBytesMax, bytes.count > most {
        let piece = 1 + random.below(most)
        way.arrivals.insert((clock.now(), .bytes(Array(bytes[piece...]))), at: 0)
        bytes = Array(bytes[..<piece])
      }
      way.byteCount -= bytes.count
      bytes.withUnsafeBytes { broker.shards[end.shard].received(end.id, $0) }
      if way.isFull, way.byteCount < windowBytes { tellRoom(way, link) }
    }
  }

  private func tellRoom(_ way: Way, _ link: Link) {
    way.isFull = false
    if let sender = way === link.there ? link.back.receiver : link.there.receiver { roomFor.append(sender) }
  }

  private func accept(_ link: Link, _ broker: SimulatedBroker) {
    guard !refusing.contains(link.target), broker.isReady, var member = members[link.target] else {
      link.there.isDead = true
      return push(.ended, link.back)
    }
    let shard = member.nextShard % broker.shardCount
    member.nextShard += 1
    members[link.target] = member
    let end = EndKey(broker: link.target, shard: shard, id: broker.makeConnectionID())
    link.there.receiver = end
    linksByEnd[end] = link
    push(.accepted, link.back)
    broker.shards[shard].opened(
      end.id,
      PeerAddress(
        host: members[link.dialler.broker]?.host ?? "", port: 40_000, localHost: member.host,
        localPort: UInt16(clamping: member.port), listener: 0))
  }

  private func push(_ arrival: Arrival, _ way: Way) {
    guard !way.isDead else { return }
    let delay = delaysMs[way.direction] ?? delayMs
    let spread = delay.count > 1 ? random.below(delay.count) : 0
    let at = clock.now().advanced(byMilliseconds: Int64(delay.lowerBound + spread))
    way.arrivals.append((max(at, way.arrivals.last?.at ?? at), arrival))
  }

  private func removeDeadLinks() { links.removeAll { $0.there.isDead && $0.back.isDead } }

  // MARK: what shards do with it

  fileprivate func dial(_ end: EndKey, _ host: String, _ port: Int32) {
    dialCount += 1
    let target = members.first { $0.value.host == host && $0.value.port == port }?.key
    let link = Link(dialler: end, target: target ?? .none)
    links.append(link)
    linksByEnd[end] = link
    if target != nil { return push(.dialled, link.there) }
    link.there.isDead = true
    push(.ended, link.back)
  }

  /// The way out of an end, and the way to it.
  private func ways(_ end: EndKey) -> (out: Way, in: Way)? {
    linksByEnd[end].map { $0.dialler == end ? ($0.there, $0.back) : ($0.back, $0.there) }
  }

  fileprivate func write(_ bytes: UnsafeRawBufferPointer, _ end: EndKey) -> WriteOutcome {
    guard let (out, into) = ways(end) else { return .failed }
    if out.isDead, into.arrivals.isEmpty {
      // A machine that has come up again knows nothing of the connection, and says so.
      push(.ended, into)
      return .accepted(bytes.count)
    }
    let count = min(bytes.count, max(0, windowBytes - out.byteCount))
    if count < bytes.count { out.isFull = true }
    guard count > 0 else { return .accepted(0) }
    out.byteCount += count
    push(.bytes(Array(bytes[..<count])), out)
    return .accepted(count)
  }

  fileprivate func close(_ end: EndKey) {
    guard let (out, into) = ways(end) else { return }
    linksByEnd[end] = nil
    into.isDead = true
    into.arrivals = []
    push(.ended, out)
  }

  fileprivate func pause(_ end: EndKey, _ isPaused: Bool) { ways(end)?.in.isReceiverPaused = isPaused }
}

/// One shard's end of the network between brokers.
struct SimulatedBrokerNetworkEnd {
  let network: SimulatedBrokerNetwork
  let broker: BrokerID
  let shard: Int

  private func key(_ id: ConnectionID) -> SimulatedBrokerNetwork.EndKey { .init(broker: broker, shard: shard, id: id) }

  func connect(_ id: ConnectionID, to host: String, port: Int32) { network.dial(key(id), host, port) }
  func write(_ bytes: UnsafeRawBufferPointer, to id: ConnectionID) -> WriteOutcome { network.write(bytes, key(id)) }
  func close(_ id: ConnectionID) { network.close(key(id)) }
  func setPaused(_ id: ConnectionID, _ isPaused: Bool) { network.pause(key(id), isPaused) }
}
