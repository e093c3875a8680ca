internal import Broker
internal import Primitives

/// One end of a connection that a shard has.
struct ShardEnd: Hashable {
  unowned let node: Machine
  let life: Int
  let shard: Int
  let id: ConnectionID

  static func == (left: ShardEnd, right: ShardEnd) -> Bool {
    left.id == right.id && left.shard == right.shard && left.life == right.life && left.node === right.node
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(shard)
    hasher.combine(life)
    hasher.combine(node.id)
  }
}

/// One end of a connection: whom to tell.
enum NetworkEnd: Hashable {
  case shard(ShardEnd)
  case client(ClientConnection)

  var party: Int32 {
    switch self {
    case .shard(let end): end.node.id.value
    case .client(let connection): connection.party
    }
  }
}

/// What goes to one end of a connection, in order.
final class NetworkWay {
  enum Arrival {
    case dialled
    case accepted
    case bytes([UInt8])
    /// The other end is gone, or never was.
    case ended
  }

  let from: Int32
  let to: Int32
  /// Nil until the other side has taken the connection.
  var receiver: NetworkEnd?
  /// nil when neither end wants to know of the connection any more.
  weak var link: NetworkLink?
  var arrivals: [(at: Instant, arrival: Arrival)] = []
  var byteCount = 0
  /// The sender was told that there is no more room.
  var isFull = false
  var isPaused = false
  /// Nobody is there any more.
  var isDead = false
  var isScheduled = false

  init(from: Int32, to: Int32) {
    self.from = from
    self.to = to
  }
}

final class NetworkLink {
  let there: NetworkWay
  let back: NetworkWay
  init(from: Int32, to: Int32) {
    there = NetworkWay(from: from, to: to)
    back = NetworkWay(from: to, to: from)
    there.link = self
    back.link = self
  }
}

/// The network between brokers, and from clients to brokers: connections with a way there and a way back, each in order,
/// each with its delay, each of which can be cut. What is sent into a cut waits there, as TCP has it, and arrives when it is
/// healed.
final class ClusterNetwork {
  struct Direction: Hashable {
    let from: Int32
    let to: Int32
  }

  private unowned let simulator: ClusterSimulator
  private var ends: [NetworkEnd: NetworkLink] = [:]
  private var links: [NetworkLink] = []
  private(set) var cuts: Set<Direction> = []
  /// Slow directions: at most so many ms more.
  private var slow: [Direction: Int] = [:]
  /// Most microseconds that bytes take.
  var delayUsMax = 800
  var windowBytes = 64 << 10

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  // MARK: faults

  func cut(from: Int32, to: Int32) { cuts.insert(Direction(from: from, to: to)) }

  func heal(from: Int32, to: Int32) {
    cuts.remove(Direction(from: from, to: to))
    for link in links {
      wake(link.there)
      wake(link.back)
    }
  }

  func slowDown(from: Int32, to: Int32, ms: Int) { slow[Direction(from: from, to: to)] = ms }

  func healAll() {
    cuts.removeAll()
    slow.removeAll()
    for link in links {
      wake(link.there)
      wake(link.back)
    }
  }

  /// Ends all connections of a broker's process. Its kernel tells the other ends, unless its machine is gone: then they
  /// learn nothing.
  func drop(_ node: Machine, isMachineGone: Bool) {
    for link in links {
      for (toIt, fromIt) in [(link.there, link.back), (link.back, link.there)] where toIt.to == node.id.value {
        if let end = toIt.receiver { ends[end] = nil }
        toIt.isDead = true
        toIt.arrivals = []
        if isMachineGone { fromIt.arrivals = [] } else { push(.ended, fromIt) }
      }
    }
    links.removeAll { $0.there.isDead && $0.back.isDead }
  }

  // MARK: what ends do

  func dial(_ end: NetworkEnd, to host: String) {
    let target = simulator.node(host: host)
    let link = NetworkLink(from: end.party, to: target?.id.value ?? 0)
    link.back.receiver = end
    links.append(link)
    ends[end] = link
    if target != nil { return push(.dialled, link.there) }
    link.there.isDead = true
    push(.ended, link.back)
  }

  private func ways(_ end: NetworkEnd) -> (out: NetworkWay, into: NetworkWay)? {
    ends[end].map { $0.back.receiver == end ? ($0.there, $0.back) : ($0.back, $0.there) }
  }

  /// How many bytes were taken; nil where the connection is broken.
  func write(_ bytes: UnsafeRawBufferPointer, _ end: NetworkEnd) -> Int? {
    guard let (out, into) = ways(end) else { return nil }
    if out.isDead {
      // A machine that is up knows nothing of the connection, and says so; one that is not says nothing.
      if into.arrivals.isEmpty, simulator.node(party: out.to)?.isMachineUp ?? true { push(.ended, into) }
      return bytes.count
    }
    let count = min(bytes.count, max(0, windowBytes - out.byteCount))
    if count < bytes.count { out.isFull = true }
    guard count > 0 else { return 0 }
    out.byteCount += count
    push(.bytes(Array(bytes[..<count])), out)
    return count
  }

  func close(_ end: NetworkEnd) {
    guard let (out, into) = ways(end) else { return }
    ends[end] = nil
    into.isDead = true
    into.arrivals = []
    push(.ended, out)
    if out.isDead { links.removeAll { $0 === out.link } }
  }

  func pause(_ end: NetworkEnd, _ isPaused: Bool) {
    guard let (_, into) = ways(end) else { return }
    into.isPaused = isPaused
    if !isPaused { wake(into) }
  }

  // MARK: arriving

  private func push(_ arrival: NetworkWay.Arrival, _ way: NetworkWay) {
    guard !way.isDead else { return }
    var delayUs = 20 + simulator.random.below(delayUsMax)
    if let ms = slow[Direction(from: way.from, to: way.to)] { delayUs += 1000 * simulator.random.below(ms) }
    let at = simulator.now.advanced(byMicroseconds: delayUs)
    way.arrivals.append((max(at, way.arrivals.last?.at ?? at), arrival))
    wake(way)
  }

  private func mayArrive(_ way: NetworkWay) -> Bool {
    !way.isDead && !way.isPaused && !way.arrivals.isEmpty && !cuts.contains(Direction(from: way.from, to: way.to))
  }

  private func wake(_ way: NetworkWay) {
    guard !way.isScheduled, mayArrive(way), let first = way.arrivals.first else { return }
    way.isScheduled = true
    simulator.schedule(.arrival(way), at: max(first.at, simulator.now))
  }

  /// The time has come for the first thing on a way.
  func arrive(_ way: NetworkWay) {
    way.isScheduled = false
    guard mayArrive(way), let link = way.link else { return }
    if let node = simulator.node(party: way.to), !node.isMachineUp {
      // Nobody hears it: the bytes are sent again and again, until somebody answers or the sender gives up.
      way.arrivals[0].at = simulator.now.advanced(byMilliseconds: 50)
      return wake(way)
    }
    while let first = way.arrivals.first, first.at <= simulator.now, mayArrive(way) {
      way.arrivals.removeFirst()
      deliver(first.arrival, way, link)
    }
    wake(way)
  }

  private func deliver(_ arrival: NetworkWay.Arrival, _ way: NetworkWay, _ link: NetworkLink) {
    switch arrival {
    case .dialled: accept(link)
    case .accepted:
      switch way.receiver {
      case .shard(let end): end.node.give(.connected(end.id), to: end.shard)
      case .client(let connection): connection.connected()
      case nil: break
      }
    case .ended:
      let receiver = way.receiver
      way.isDead = true
      if link.there.isDead, link.back.isDead { links.removeAll { $0 === link } }
      switch receiver {
      case .shard(let end): end.node.give(.closed(end.id), to: end.shard)
      case .client(let connection): connection.ended()
      case nil: break
      }
    case .bytes(let bytes):
      way.byteCount -= bytes.count
      simulator.trace.note(bytes: bytes)
      tellRoom(way, link)
      switch way.receiver {
      case .shard(let end): end.node.give(.bytes(end.id, bytes), to: end.shard)
      case .client(let connection): connection.receive(bytes)
      case nil: break
      }
    }
  }

  private func tellRoom(_ way: NetworkWay, _ link: NetworkLink) {
    guard way.isFull, way.byteCount < windowBytes / 2 else { return }
    way.isFull = false
    let sender = way === link.there ? link.back.receiver : link.there.receiver
    if case .shard(let end) = sender { end.node.give(.writable(end.id), to: end.shard) }
  }

  private func accept(_ link: NetworkLink) {
    guard let node = simulator.node(party: link.there.to), node.isListening else {
      link.there.isDead = true
      return push(.ended, link.back)
    }
    let shard = node.nextShard()
    let id = node.makeConnectionID(shard)
    let end = NetworkEnd.shard(ShardEnd(node: node, life: node.life, shard: shard, id: id))
    link.there.receiver = end
    ends[end] = link
    push(.accepted, link.back)
    let from = simulator.node(party: link.there.from)?.host ?? "client\(-link.there.from)"
    node.give(
      .opened(id, PeerAddress(host: from, port: 40_000, localHost: node.host, localPort: 9092, listener: 0)), to: shard)
  }
}

extension Instant {
  func advanced(byMicroseconds us: Int) -> Instant { Instant(nanoseconds: nanoseconds + Int64(us) * 1000) }
}
