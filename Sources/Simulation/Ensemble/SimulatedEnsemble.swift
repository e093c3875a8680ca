package import Coordination
package import Primitives

/// A ZooKeeper ensemble in memory, and the network to its clients, that does as it is told and the same for each seed.
///
/// Writes come into one order; each gets a number, and each server applies them in that order, after a while of its own, so
/// that reads may be stale. A client sees its own writes, and never less than it saw before. Sessions belong to the ensemble:
/// they end when nothing was heard for their timeout, and the client learns it when it reaches a server again. Without a
/// quorum nobody is served, and no session ends. Watches do not outlive a connection.
///
/// Time stands still until `advance`.
package final class SimulatedEnsemble {
  /// What happens at its time.
  enum Action {
    case beat
    case attempt(SimulatedEnsembleClient, number: Int)
    case arrive(SimulatedConnection, EnsembleRequest, RequestToken)
    case late([EnsembleWrite], NodeTree.Caller)
    case serve(SimulatedConnection)
    case apply(server: Int)
    case deliver(SimulatedConnection, EnsembleEvent, seen: Int64)
    case close(SimulatedConnection)
  }

  struct Change {
    let number: Int64
    /// nil: the session ended.
    let writes: [EnsembleWrite]?
    let caller: NodeTree.Caller
  }

  struct Server {
    var tree = NodeTree()
    /// Changes applied.
    var appliedCount = 0
    /// How much later than others it applies them.
    var lagMs = 0
    /// When it applies each change.
    var dues: [Instant] = []
    var lastDue = Instant(nanoseconds: 0)
    var connections: [SimulatedConnection] = []
  }

  struct Session {
    let timeoutMs: Int64
    var heardAt: Instant
  }

  /// The logins that the servers do not accept.
  package var refusedLogins: Set<String> = []
  /// Whether the servers can agree on anything.
  package private(set) var hasQuorum = true
  /// The present.
  package private(set) var now = Instant(nanoseconds: 0)

  var random: DiskRandom
  let latencyMsMax: Int
  var servers: [Server]
  /// Of whoever leads: all changes applied.
  var tree = NodeTree()
  var changes: [Change] = []
  /// Those that live.
  var sessions: [Int64: Session] = [:]
  var lastSession: Int64 = 0x1_0000
  var clients: [SimulatedEnsembleClient] = []
  private var queue = ActionQueue()
  /// Hears of each change when it comes into the order: what is written, and by whose session.
  package var onChange: ((_ writes: [EnsembleWrite], _ session: Int64) -> Void)?

  package init(seed: UInt64, serverCount: Int = 3, latencyMsMax: Int = 4) {
    precondition(serverCount > 0 && latencyMsMax >= 0, "\(serverCount) servers, \(latencyMsMax) ms")
    random = DiskRandom(seed: seed)
    self.latencyMsMax = latencyMsMax
    servers = Array(repeating: Server(), count: serverCount)
    schedule(.beat, inMs: Self.beatMs)
  }

  /// Another client, that no server knows yet.
  package func client(sessionTimeoutMs: Int64 = 6000, login: String? = nil) -> SimulatedEnsembleClient {
    let client = SimulatedEnsembleClient(ensemble: self, timeoutMs: sessionTimeoutMs, login: login)
    clients.append(client)
    return client
  }

  // -- time

  static let beatMs = 50

  /// When the next thing happens by itself.
  package var nextAction: Instant { queue.first ?? .distantFuture }

  /// Lets everything happen up to `instant`.
  package func advance(to instant: Instant) {
    while let (time, action) = queue.take(until: instant) {
      now = max(now, time)
      perform(action)
    }
    now = max(now, instant)
  }

  func schedule(_ action: Action, inMs delay: Int) {
    schedule(action, at: now.advanced(byMilliseconds: Int64(delay)))
  }

  func schedule(_ action: Action, at time: Instant) { queue.add(action, at: max(time, now)) }

  /// A way through the network.
  func latency() -> Int { random.below(latencyMsMax + 1) }

  private func perform(_ action: Action) {
    switch action {
    case .beat: beat()
    case .attempt(let client, let number): client.attempt(number: number)
    case .arrive(let connection, let request, let token): arrive(connection, request, token)
    case .late(let writes, let caller): if hasQuorum { _ = commit(writes, caller) }
    case .serve(let connection): serve(connection)
    case .apply(let server): applyDue(server)
    case .deliver(let connection, let event, let seen): connection.deliver(event, seen: seen)
    case .close(let connection): connection.noticeBreak()
    }
  }

  // -- what a test does to it

  /// No server can agree with another: all clients are turned away, and sessions stand still.
  package func loseQuorum() {
    hasQuorum = false
    for client in clients { if let connection = client.connection { breakByServer(connection) } }
  }

  /// The servers find together again. All sessions begin their time anew.
  package func regainQuorum() {
    hasQuorum = true
    for id in sessions.keys { sessions[id]?.heardAt = now }
  }

  /// The server applies changes so much later from now on; 0 for as soon as it can.
  package func lag(server: Int, ms: Int) { servers[server].lagMs = ms }

  /// Ends the session of a client, which learns it when it reaches a server again.
  package func expire(_ client: SimulatedEnsembleClient) {
    if let session = client.session { end(session) }
  }

  /// What a node holds now; nil when there is none.
  package func data(at path: String) -> [UInt8]? { tree.nodes[path]?.data }

  /// The paths of all nodes, sorted.
  package var paths: [String] { tree.nodes.keys.sorted() }

  /// Somebody else changes something: an operator, or another program. Returns why it could not.
  @discardableResult
  package func write(_ writes: [EnsembleWrite]) -> EnsembleError? {
    commit(writes, NodeTree.Caller(session: 0, login: nil))
  }
}
