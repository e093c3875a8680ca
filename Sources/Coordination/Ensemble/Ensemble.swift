package import Primitives

/// What this broker can ask of a ZooKeeper ensemble: one client, one session at a time.
///
/// Requests go out, events come in. Nothing blocks and nothing calls back but the wake-up, which is the business of who made
/// the client. Requests of a session are carried out and answered in their order, and what a session has seen it never sees
/// undone; what others write it may see late (`sync`).
package protocol Ensemble: AnyObject {
  /// Gives up the session there is, if any, and begins another. No event of an earlier session comes after this.
  ///
  /// `.connected` follows when a server was reached, however long that takes.
  func connect()

  /// Asks for something; exactly one `.completed` with `token` follows while the session is not given up.
  func send(_ request: EnsembleRequest, token: RequestToken)

  /// Ends the session in order, which takes its ephemeral nodes away at once where a server can be reached. `.closed` follows.
  func close()

  /// What has happened since the last call, oldest first.
  func poll() -> [EnsembleEvent]
}

/// Something to be done by the ensemble. Paths are absolute.
package enum EnsembleRequest: Sendable, Equatable {
  case create(NodeCreation)
  /// The data of a node; `.node`. With `watch` the next change of it is told, once. A node that is not there is not watched.
  case get(String, watch: Bool)
  /// Whether there is a node; `.status`, or the failure `.noNode`. With `watch` its next change, or its coming, is told, once.
  case exists(String, watch: Bool)
  /// The names of the nodes below one, in no order; `.children`. With `watch` the next change of them is told, once.
  case children(String, watch: Bool)
  /// `version`: the one the node must have.
  case set(String, [UInt8], version: Int32)
  /// `version`: the one the node must have.
  case delete(String, version: Int32)
  /// All of it or nothing.
  case multi([EnsembleWrite])
  /// Lets the server that we are connected to catch up with all that was committed before.
  case sync(String)
}

/// A node to be made.
package struct NodeCreation: Sendable, Equatable {
  package let path: String
  package let data: [UInt8]
  /// It goes when the session that made it ends.
  package let isEphemeral: Bool
  package init(_ path: String, _ data: [UInt8] = [], isEphemeral: Bool = false) {
    self.path = path
    self.data = data
    self.isEphemeral = isEphemeral
  }
}

/// A part of a `multi`.
package enum EnsembleWrite: Sendable, Equatable {
  /// Holds when the node has that version.
  case check(String, version: Int32)
  case create(NodeCreation)
  case set(String, [UInt8], version: Int32)
  case delete(String, version: Int32)
  /// Whatever its version.
  case deleteAny(String)
}

/// What a request brought.
package enum EnsembleAnswer: Sendable, Equatable {
  /// It was done: of everything that changes something, and of `sync`.
  case done
  case node([UInt8], NodeStatus)
  case status(NodeStatus)
  case children([String])
}

/// What the ensemble knows of a node beside its data.
package struct NodeStatus: Sendable, Equatable {
  /// The number of the change that made it: grows over all changes of the ensemble.
  package let creation: Int64
  /// Counts the changes of its data, from 0.
  package let version: Int32
  /// The session whose end takes it away; 0 for a node that stays.
  package let owner: Int64
  package init(creation: Int64, version: Int32, owner: Int64) {
    self.creation = creation
    self.version = version
    self.owner = owner
  }
}

/// Why a request brought nothing.
package struct EnsembleError: Error, Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    case noNode
    case nodeExists
    case badVersion
    case notEmpty
    /// This login, or none, may not do that.
    case accessDenied
    /// Nobody knows whether it was done: the connection broke before the answer.
    case connectionLost
    /// The session is over.
    case sessionLost
    /// Something else, under the number the client gives it. It may have been done.
    case other(Int32)
  }
  package let reason: Reason
  /// Which part of a `multi` was to blame; 0 otherwise.
  package let part: Int
  package init(_ reason: Reason, part: Int = 0) {
    self.reason = reason
    self.part = part
  }
}

/// Something that the ensemble's client tells.
package enum EnsembleEvent: Sendable, Equatable {
  /// A server was reached, for the first time in this session or again.
  case connected(EnsembleSession)
  /// No server can be reached. The session may live on, or not: nobody can tell until one is reached again.
  case disconnected
  /// There is no session any more, and its ephemeral nodes are gone or will be: `connect` begins another.
  case sessionLost
  /// The servers do not accept the login.
  case loginRefused
  /// What was watched at that path has changed, or may have.
  case changed(String)
  case completed(RequestToken, Result<EnsembleAnswer, EnsembleError>)
  /// What `close` asked for is done.
  case closed
}

/// A session as the servers granted it.
package struct EnsembleSession: Sendable, Equatable {
  package let id: Int64
  /// How long the servers keep it without a word from us.
  package let timeoutMs: Int64
  package init(id: Int64, timeoutMs: Int64) {
    self.id = id
    self.timeoutMs = timeoutMs
  }
}
