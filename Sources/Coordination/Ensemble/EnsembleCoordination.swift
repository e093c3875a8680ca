package import Cluster
package import Effects
package import Primitives

/// The coordination service of a cluster: the metadata log, the presence of brokers and the election of the controller, in a
/// ZooKeeper ensemble.
///
/// A machine over `Ensemble`: it never waits, and works towards what is wanted with each `poll` and `tick` (`advance`). Each
/// part has one request or a row of them under way, and begins again where it was when the answer got lost. What is written
/// is safe by compare-and-set alone: each write of a controller checks that `/controller_epoch` has the version that its own
/// election gave it. Sessions only say when to look.
///
/// Call `tick` after each `poll` and each request: they may begin something with a deadline, and `tick` says when. It says
/// at once when there is something to `poll`.
package final class EnsembleCoordination: CoordinationService {
  typealias Completion = (Result<EnsembleAnswer, EnsembleError>) -> Void

  let ensemble: any Ensemble
  let settings: EnsembleSettings
  let paths: EnsemblePaths
  let time: any TimeSource
  /// Of this run of the broker, and only of this service: what it writes can be told from everything else.
  let incarnation: UUID
  /// What a cluster gets that is founded by a broker without one.
  let newClusterID: String

  /// The cluster's id: known before `.loaded`, and before anything else is told of the log.
  package internal(set) var clusterID: String?
  /// Everything that was committed and told.
  package var image: ClusterImage { reader.image }

  var events: [CoordinationEvent] = []
  private var completions: [RequestToken: Completion] = [:]
  private var lastToken: UInt64 = 0
  var lastWriting: UInt64 = 0
  /// After an answer that nobody expects nothing is asked before this.
  private var pausedUntil: Instant?

  var link = EnsembleLink()
  var founding = Founding()
  var reader = LogReader()
  var registration = Registration()
  var election = Election()
  var presence = PresenceWatch()
  var change: Change?
  var snapshots = SnapshotWriter()

  /// Begins to reach the ensemble.
  ///
  /// - Parameter random: for ids that nobody else has.
  package init(
    ensemble: any Ensemble, settings: EnsembleSettings, time: any TimeSource, random: any RandomSource
  ) {
    self.ensemble = ensemble
    self.settings = settings
    self.time = time
    paths = EnsemblePaths(chroot: settings.chroot)
    incarnation = UUID(random: random.next)
    newClusterID = UUID(random: random.next).description
    connect()
  }

  package func register(_ presence: BrokerPresence) {
    precondition(presence.id == settings.brokerID, "broker \(settings.brokerID) registers as \(presence.id)")
    registration.want(presence)
    advance()
  }

  package func append(_ records: [MetadataRecord], token: RequestToken) {
    precondition(change == nil, "an append was asked for while another one is under way")
    beginChange(records, token: token)
    advance()
  }

  package func close() {
    switch link.state {
    case .closing, .closed: return
    case .refused:
      link.state = .closed
      return events.append(.closed)
    case .unreached, .connected, .lost, .waiting: break
    }
    link.state = .closing(until: time.now().advanced(byMilliseconds: Self.closeMsMax))
    abandonSession()
    ensemble.close()
  }

  package func poll() -> [CoordinationEvent] {
    for event in ensemble.poll() { take(event) }
    advance()
    let told = events
    events = []
    return told
  }

  package func tick(_ now: Instant) -> Instant? {
    checkDeadlines(now)
    advance()
    return events.isEmpty ? nextDeadline(after: now) : now
  }

  /// Asks for everything that is wanted and not under way.
  func advance() {
    guard case .connected = link.state, !isPaused else { return }
    guard founding.isVerified else { return lookForCluster() }
    readLog()
    lookAtOwnNode()
    lookAtController()
    lead()
  }

  // -- requests

  /// Asks the ensemble; `completion` gets the answer unless the session is given up before.
  func send(_ request: EnsembleRequest, _ completion: @escaping Completion) {
    lastToken += 1
    let token = RequestToken(lastToken)
    completions[token] = completion
    ensemble.send(request, token: token)
  }

  func complete(_ token: RequestToken, _ result: Result<EnsembleAnswer, EnsembleError>) {
    guard let completion = completions.removeValue(forKey: token) else { return }
    if case .failure(let error) = result {
      switch error.reason {
      // The session's own requests are not waited for any more.
      case .accessDenied: return doubtLogin()
      case .other: pause()
      case .noNode, .nodeExists, .badVersion, .notEmpty, .connectionLost, .sessionLost: break
      }
    }
    completion(result)
  }

  /// Answers of the session that is given up are not waited for.
  func forgetRequests() { completions = [:] }

  /// Asks for nothing for a while: what was wrong would be so again at once.
  func pause() { pausedUntil = time.now().advanced(byMilliseconds: Self.pauseMs) }

  private var isPaused: Bool { pausedUntil.map { time.now() < $0 } ?? false }

  // -- deadlines

  private static let closeMsMax: Int64 = 5000
  private static let pauseMs: Int64 = 1000

  private func checkDeadlines(_ now: Instant) {
    if let pause = pausedUntil, now >= pause { pausedUntil = nil }
    if let notBefore = snapshots.notBefore, now >= notBefore { snapshots.notBefore = nil }
    checkLink(now)
    checkForeignNode(now)
    checkChange(now)
  }

  /// Those that are due were seen to.
  private func nextDeadline(after now: Instant) -> Instant? {
    [pausedUntil, link.deadline, registration.foreignUntil, change?.deadline, snapshots.notBefore]
      .compactMap { $0 }.filter { $0 > now }.min()
  }
}
