internal import Broker
internal import Effects
internal import Primitives

/// Something that has come to a shard and waits for its next turn.
enum ShardInput {
  case opened(ConnectionID, PeerAddress)
  case connected(ConnectionID)
  case bytes(ConnectionID, [UInt8])
  case writable(ConnectionID)
  case closed(ConnectionID)
  case message(ShardMessage)
  case disk(DiskToken, DiskResult)
  case coordination
}

/// One shard's way to the network.
final class NodeTransport: Transport {
  private unowned let node: Machine
  private let shard: Int

  init(_ node: Machine, shard: Int) {
    self.node = node
    self.shard = shard
  }

  private func end(_ id: ConnectionID) -> NetworkEnd {
    .shard(ShardEnd(node: node, life: node.life, shard: shard, id: id))
  }

  func connect(to host: String, port: Int32) -> ConnectionID {
    let id = node.makeConnectionID(shard)
    node.simulator.network.dial(end(id), to: host)
    return id
  }

  func write(_ bytes: UnsafeRawBufferPointer, to connection: ConnectionID, moreFollows: Bool) -> WriteOutcome {
    node.simulator.network.write(bytes, end(connection)).map(WriteOutcome.accepted) ?? .failed
  }

  func write(_ file: any File, from position: Int64, byteCount: Int, to connection: ConnectionID) -> WriteOutcome {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let read = bytes.withUnsafeMutableBytes { buffer in (try? file.read(into: buffer, at: position)) ?? -1 }
    guard read == byteCount else { return .failed }
    return bytes.withUnsafeBytes { write($0, to: connection, moreFollows: false) }
  }

  func close(_ connection: ConnectionID) { node.simulator.network.close(end(connection)) }
  func pauseReading(_ connection: ConnectionID) { node.simulator.network.pause(end(connection), true) }
  func resumeReading(_ connection: ConnectionID) { node.simulator.network.pause(end(connection), false) }
}

/// One shard's way to the other shards of its broker.
final class NodeLinks: ShardLinks {
  private unowned let node: Machine
  init(_ node: Machine) { self.node = node }
  func send(_ message: ShardMessage, to shard: Int) { node.give(.message(message), to: shard) }
  func post() {}
}

/// What waits for the disk of one broker: the jobs of one lane are done one after the other, each in its time.
final class DiskQueue {
  struct Order {
    let shard: Int
    let job: DiskJob
    let token: DiskToken
    /// What came of it, where it was done at once and is told later.
    var result: DiskResult?
  }

  private struct Pace: DiskPace {
    let mustStop: Bool
    func spend(_ byteCount: Int, bytesPerSecondMax: Double) {}
  }

  private unowned let node: Machine
  let lane: DiskLane
  private var orders: [Order] = []
  private var cancelled: [(shard: Int, token: DiskToken)] = []

  init(_ node: Machine, _ lane: DiskLane) {
    self.node = node
    self.lane = lane
  }

  func removeAll() {
    orders = []
    cancelled = []
  }

  func submit(_ order: Order) {
    orders.append(order)
    if orders.count == 1 { begin() }
  }

  func cancel(_ token: DiskToken, of shard: Int) { cancelled.append((shard, token)) }

  /// A job is done at the beginning of its time, or at the end of it: what is written meanwhile may be part of it, or not.
  private func begin() {
    let simulator = node.simulator
    if simulator.random.chance(percent: 50) { orders[0].result = run(orders[0]) }
    let delay = Int64(node.diskDelayUs(lane))
    simulator.schedule(.disk(node, self), inUs: delay)
  }

  private func run(_ order: Order) -> DiskResult {
    order.job.run(node.disk, Pace(mustStop: cancelled.contains { $0.shard == order.shard && $0.token == order.token }))
  }

  /// The time of the first job is over.
  func finishFirst() {
    guard !orders.isEmpty else { return }
    let order = orders[0]
    let result = order.result ?? run(order)
    orders.removeFirst()
    node.give(.disk(order.token, result), to: order.shard)
    if !orders.isEmpty { begin() }
  }
}

/// One shard's way to the disk.
final class NodeDisk: DiskWorkers {
  private unowned let node: Machine
  private let shard: Int
  init(_ node: Machine, shard: Int) {
    self.node = node
    self.shard = shard
  }
  func submit(_ job: DiskJob, token: DiskToken, directory: Int) {
    node.lanes[Self.index(job.lane)].submit(.init(shard: shard, job: job, token: token))
  }
  func cancel(_ token: DiskToken, directory: Int) {
    for lane in node.lanes { lane.cancel(token, of: shard) }
  }
  static func index(_ lane: DiskLane) -> Int { DiskLane.allCases.firstIndex(of: lane) ?? 0 }
}
